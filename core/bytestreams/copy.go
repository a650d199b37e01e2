package bytestreams

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/time/rate"
)

const bufferSize = 16 << 10

// copy sends what comes from a connection to the other one of its pair, first what was read already, until one side ends or both are
// silent for too long.
func (r *Relay) copy(ctx context.Context, from *end, first []byte) error {
	to := from.other(r)
	if to == nil {
		return net.ErrClosed
	}
	pace := rate.NewLimiter(rate.Inf, 0)
	if r.limits.Rate > 0 {
		pace = rate.NewLimiter(rate.Limit(r.limits.Rate), max(r.limits.Rate, bufferSize))
	}
	buffer := make([]byte, bufferSize)
	n, err := copy(buffer, first), error(nil)
	for {
		if n > 0 {
			from.pair.moved.Store(time.Now().UnixMicro())
			if err := r.slow(ctx, pace, n); err != nil {
				return err
			}
			_ = to.SetWriteDeadline(time.Now().Add(r.limits.Idle))
			if _, err := to.Write(buffer[:n]); err != nil {
				return err
			}
			from.pair.moved.Store(time.Now().UnixMicro())
		}
		switch {
		case errors.Is(err, io.EOF):
			return to.finish(ctx)
		case errors.Is(err, os.ErrDeadlineExceeded) && from.pair.silent() < r.limits.Idle:
		case errors.Is(err, os.ErrDeadlineExceeded):
			r.Silent.Add(1)
			return err
		case err != nil:
			return err
		}
		_ = from.SetReadDeadline(time.Now().Add(max(time.Millisecond, r.limits.Idle-from.pair.silent())))
		n, err = from.Read(buffer)
	}
}

// silent returns for how long no byte was relayed.
func (p *pair) silent() time.Duration { return time.Since(time.UnixMicro(p.moved.Load())) }

// slow waits until n more bytes are within the rate.
func (r *Relay) slow(ctx context.Context, pace *rate.Limiter, n int) error {
	if pace.Limit() == rate.Inf {
		return nil
	}
	now := time.Now()
	reserved := pace.ReserveN(now, n)
	wait := reserved.DelayFrom(now)
	if wait <= 0 {
		return nil
	}
	r.Slowed.Add(1)
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// other returns the other connection of the pair.
func (e *end) other(r *Relay) *end {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range e.pair.ends {
		if o != e {
			return o
		}
	}
	return nil
}

// finish ends the direction to e, of which all was written. The other direction goes on until it has ended too: its goroutine, which
// then leaves, closes both connections.
func (e *end) finish(ctx context.Context) error {
	if half, ok := e.Conn.(interface{ CloseWrite() error }); ok {
		if err := half.CloseWrite(); err != nil {
			return err
		}
	}
	if e.pair.ended.Add(1) == 2 {
		return nil
	}
	select {
	case <-e.pair.gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
