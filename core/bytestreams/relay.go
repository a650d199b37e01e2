package bytestreams

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/peerlimit"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Timeouts that no setting changes.
const (
	handshakeTime = 10 * time.Second // from connecting to the end of the handshake
	waitTime      = 2 * time.Minute  // from there to the activation
	maxEarly      = 64 << 10         // bytes that a connection may send before the activation; they are dropped
)

// Errors of Activate.
var (
	ErrNotFound = errors.New("nobody is connected for this stream")
	ErrOneOnly  = errors.New("only one side is connected for this stream")
	ErrTooMany  = errors.New("too many streams of this account")
)

// Limits of a Relay; zero means no limit, except of Idle.
type Limits struct {
	Connections int           // of all addresses together
	PerAddress  int           // from one address
	Arrivals    int           // new ones a second from one address
	Streams     int           // activated by one account
	Rate        int           // bytes a second of one stream in one direction
	Idle        time.Duration // without a byte in either direction, until the stream ends
}

// Relay relays streams. Its methods may be called from any goroutine.
type Relay struct {
	limits    Limits
	log       *slog.Logger
	addresses *peerlimit.Connections

	mu      sync.Mutex
	pairs   map[string]*pair // by hash
	streams map[string]int   // activated, by account
	open    int

	// How often the limits were reached.
	TooMany, TooFast, TooManyStreams, Slowed, Silent atomic.Uint64
}

// pair is one stream, with one connection or two.
type pair struct {
	hash    string
	ends    []*end
	active  chan struct{} // closed by Activate
	gone    chan struct{} // closed when one side has left an activated stream
	ended   atomic.Int32  // directions that have ended
	moved   atomic.Int64  // when a byte was relayed, in microseconds since 1970
	account string        // that has activated it
	done    bool          // one end has been closed
}

// end is one connection of a pair.
type end struct {
	net.Conn
	pair *pair
}

// New returns a relay.
func New(l Limits, log *slog.Logger) *Relay {
	if l.Idle <= 0 {
		l.Idle = 5 * time.Minute
	}
	return &Relay{
		limits: l, log: log, pairs: map[string]*pair{}, streams: map[string]int{},
		addresses: peerlimit.NewConnections(peerlimit.ConnectionLimits{Open: l.PerAddress, PerSecond: l.Arrivals}),
	}
}

// Serve accepts connections until ctx ends; then it closes them and returns when all have ended. It closes the listener.
func (r *Relay) Serve(ctx context.Context, l net.Listener) error {
	var running sync.WaitGroup
	defer running.Wait()
	return stream.Accept(ctx, l, r.log, func(c net.Conn) {
		from, verdict := r.addresses.Open(peerlimit.Address(c))
		if verdict != peerlimit.Accepted {
			r.TooFast.Add(1)
			_ = c.Close()
			return
		}
		from.Authenticated() // none of them is displaced
		if !r.take() {
			r.TooMany.Add(1)
			from.Closed()
			_ = c.Close()
			return
		}
		running.Go(func() {
			defer from.Closed()
			defer r.give()
			defer c.Close()
			stop := context.AfterFunc(ctx, func() { _ = c.Close() })
			defer stop()
			if err := r.serve(ctx, c); err != nil {
				r.log.Debug("bytestream ended", "conn", c.RemoteAddr().String(), "err", err)
			}
		})
	})
}

func (r *Relay) take() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.limits.Connections > 0 && r.open >= r.limits.Connections {
		return false
	}
	r.open++
	return true
}

func (r *Relay) give() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
}

// serve runs one connection.
func (r *Relay) serve(ctx context.Context, c net.Conn) error {
	_ = c.SetDeadline(time.Now().Add(handshakeTime))
	hash, err := handshake(c)
	if err != nil {
		return err
	}
	e := r.join(hash, c)
	if e == nil {
		return refuse(c, notAllowed)
	}
	defer r.leave(e)
	if err := accept(c, hash); err != nil {
		return err
	}
	first, err := e.wait()
	if err != nil {
		return err
	}
	return r.copy(ctx, e, first)
}

// join adds a connection to the pair of its hash; nil if it has two already.
func (r *Relay) join(hash string, c net.Conn) *end {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.pairs[hash]
	if p == nil {
		p = &pair{hash: hash, active: make(chan struct{}), gone: make(chan struct{})}
		r.pairs[hash] = p
	}
	if len(p.ends) == 2 || p.account != "" || p.done {
		return nil
	}
	e := &end{c, p}
	p.ends = append(p.ends, e)
	return e
}

// leave ends the pair of a connection.
func (r *Relay) leave(e *end) {
	r.mu.Lock()
	p := e.pair
	first := !p.done
	if first && p.account != "" {
		close(p.gone)
	}
	if p.account == "" { // not activated: the other one may go on waiting
		p.ends = without(p.ends, e)
	} else {
		p.done = true
	}
	if first && (p.done || len(p.ends) == 0) {
		delete(r.pairs, p.hash)
		if p.account != "" {
			if r.streams[p.account]--; r.streams[p.account] <= 0 {
				delete(r.streams, p.account)
			}
		}
	}
	var others []*end
	if p.done {
		others = without(p.ends, e)
	}
	r.mu.Unlock()
	for _, o := range others {
		_ = o.Close()
	}
}

func without(list []*end, e *end) []*end {
	var rest []*end
	for _, o := range list {
		if o != e {
			rest = append(rest, o)
		}
	}
	return rest
}

// wait drops what a connection sends until its pair is activated (XEP-0065 §9.1), and returns what it has read since then.
func (e *end) wait() ([]byte, error) {
	_ = e.SetDeadline(time.Now().Add(waitTime))
	early := make([]byte, 4<<10)
	for n := 0; ; {
		got, err := e.Read(early)
		select {
		case <-e.pair.active:
			return early[:got], e.SetDeadline(time.Time{})
		default:
		}
		if n += got; err != nil || n > maxEarly {
			return nil, errors.Join(err, errHandshake)
		}
	}
}

// Activate begins to relay a stream for an account.
func (r *Relay) Activate(hash, account string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.pairs[hash]
	switch {
	case p == nil || p.account != "" || p.done:
		return ErrNotFound
	case len(p.ends) < 2:
		return ErrOneOnly
	case r.limits.Streams > 0 && r.streams[account] >= r.limits.Streams:
		r.TooManyStreams.Add(1)
		return ErrTooMany
	}
	p.account = account
	p.moved.Store(time.Now().UnixMicro())
	r.streams[account]++
	close(p.active)
	for _, e := range p.ends {
		_ = e.SetReadDeadline(time.Unix(1, 0)) // ends the Read of wait; it does not block
	}
	return nil
}
