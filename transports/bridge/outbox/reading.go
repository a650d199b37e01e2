package outbox

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// stallTime is how long nothing may come of a file that is read, and how long the network may take nothing of it.
const stallTime = time.Minute

// What a call may wait for its files altogether: the messages behind it in its conversation wait as long, and whoever has named a file decides
// how fast it comes.
const (
	sourceTime = 5 * time.Minute // and longer by the time that what was read takes at sourceRate
	sourceRate = 1 << 20         // bytes a second
)

// errStalled ends a call whose file does not move.
var errStalled = errors.New("the file is sent too slowly")

// reads are the files that a call reads, one after the other.
type reads struct {
	failed  atomic.Bool  // one could not be read, or has another size than before
	waiting atomic.Bool  // for what is read, and not for the network
	spent   atomic.Int64 // nanoseconds of waiting for what is read
	bytes   atomic.Int64 // that were read
	timer   *time.Timer  // runs while a file is opened, and from its first byte to its last one
	cancel  context.CancelCauseFunc
}

// newReads returns a context that ends when a file stalls. The caller calls end.
func newReads(ctx context.Context) (*reads, context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	r := &reads{cancel: cancel}
	r.timer = time.AfterFunc(stallTime, func() {
		if r.waiting.Load() {
			r.failed.Store(true)
		}
		cancel(errStalled)
	})
	r.timer.Stop()
	return r, ctx
}

func (r *reads) end() {
	r.timer.Stop()
	r.cancel(nil)
}

// left is how long the call may still wait for what it reads.
func (r *reads) left() time.Duration {
	return sourceTime + time.Duration(r.bytes.Load())*(time.Second/sourceRate) - time.Duration(r.spent.Load())
}

// spend counts the time since began as waiting.
func (r *reads) spend(began time.Time) { r.spent.Add(int64(time.Since(began))) }

// begin begins to wait for what is read.
func (r *reads) begin() (began time.Time) {
	r.waiting.Store(true)
	r.timer.Reset(min(stallTime, r.left()))
	return time.Now()
}

// waited ends what begin has begun.
func (r *reads) waited(began time.Time) {
	r.waiting.Store(false)
	r.spend(began)
}

// reading is one of the files.
type reading struct {
	ctx     context.Context // of the request that the file is in
	content io.ReadCloser
	left    int64
	closed  atomic.Bool
	all     *reads
}

// Read implements io.Reader.
func (r *reading) Read(b []byte) (int, error) {
	began := r.all.begin()
	n, err := r.content.Read(b)
	r.all.waited(began)
	r.all.bytes.Add(int64(max(n, 0)))
	r.left -= int64(n)
	if r.left < 0 || errors.Is(err, io.EOF) && r.left > 0 {
		n, err = 0, io.ErrUnexpectedEOF
	}
	if r.left == 0 || err != nil {
		r.all.timer.Stop() // what follows is the network's answer, for which there are other timeouts
	} else {
		r.all.timer.Reset(stallTime)
	}
	if err != nil && !errors.Is(err, io.EOF) && !r.closed.Load() && r.ctx.Err() == nil {
		r.all.failed.Store(true)
	}
	return n, err
}

// Close implements io.Closer.
func (r *reading) Close() error {
	r.closed.Store(true)
	r.all.timer.Stop()
	return r.content.Close()
}
