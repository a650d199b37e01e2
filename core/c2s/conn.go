package c2s

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Why a connection ends, besides stream errors and errors of the socket.
var (
	errEnded     = errors.New("client ended the stream")
	errLeave     = errors.New("stream ended by us")
	errHandshake = errors.New("TLS handshake failed")
	errNoTLS     = errors.New("TLS refused")
	errPeerError = errors.New("client sent a stream error")
)

// conn is one connection of a client. Its fields belong to the goroutine that reads it,
// but for those that are atomic.
type conn struct {
	server *Server
	tcp    net.Conn
	net    *stream.Conn // over tcp, with TLS or without
	from   netip.Addr
	ctx    context.Context
	log    *slog.Logger

	scanner *stream.Scanner
	queue   *stream.Queue
	batch   *router.Batch

	// The present stream.
	host     *host
	open     bool // our header has been sent
	secure   bool
	count    int // first-level elements before a session is bound
	bound    []sasl.Binding
	login    *sasl.Dialogue
	trying   string  // whom the client wants to be, as long as that is not proved
	admitted bool    // the present attempt has had its turn; see conn.turn
	ended    uint64  // of the host's router, before the account was looked up
	who      jid.JID // bare; set by login
	session  *session

	// Reading; see read.go.
	began    time.Time
	deadline time.Time // that is set
	pinged   bool
	limiter  *rate.Limiter
	wait     time.Duration
	leaving  bool // our side of the stream has ended

	recipients recipients

	why     atomic.Pointer[error]
	stopped chan struct{} // closed when why is set
	once    sync.Once     // closes it
}

func newConn(s *Server, nc net.Conn, from netip.Addr) *conn {
	c := &conn{
		server: s, tcp: nc, net: stream.Wrap(oneWay(nc)), from: from, ctx: s.base, began: time.Now(),
		log: s.log.With("conn", nc.RemoteAddr().String()), stopped: make(chan struct{}),
	}
	c.scanner = stream.NewScanner(c, stanza.NSClient, s.limits.BeforeLogin)
	c.queue = stream.NewQueue(c.net, stream.QueueLimits{Bytes: s.limits.Queue}, c.failed)
	c.batch = router.NewBatch(c.ctx)
	if s.limits.Rate > 0 {
		c.limiter = rate.NewLimiter(rate.Limit(s.limits.Rate), max(s.limits.Burst, 16<<10))
	}
	return c
}

// newID is an id that cannot be guessed (RFC 6120 §4.7.3).
func newID() string { return rand.Text() }

// failed is called by the queue.
func (c *conn) failed(err error, _ int) {
	if errors.Is(err, stream.ErrSlow) {
		c.server.Counters.Slow.Add(1)
	}
	c.stop(err)
}

// stop makes the reader end the stream because of err; the first call counts. It does
// not wait.
func (c *conn) stop(err error) {
	if c.why.CompareAndSwap(nil, &err) {
		c.once.Do(func() { close(c.stopped) })
		_ = c.tcp.SetReadDeadline(time.Unix(1, 0)) // where it is closed, Read returns by itself
	}
}

// serve is the life of a connection.
func (c *conn) serve(direct bool) {
	defer func() {
		if v := recover(); v != nil {
			c.panicked(v)
			_ = c.tcp.Close()
		}
	}()
	c.end(c.run(direct))
}

// run is serve up to the reason for the end. A panic costs this connection only.
func (c *conn) run(direct bool) (err error) {
	defer func() {
		if v := recover(); v != nil {
			c.panicked(v)
			err = stream.NewError(stream.InternalServerError, "")
		}
	}()
	if direct {
		if err := c.handshake(c.server.direct); err != nil {
			return err
		}
	}
	return c.each()
}

func (c *conn) panicked(v any) {
	c.server.Counters.Panics.Add(1)
	c.log.Error("panic", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
}

// each reads to the end of the stream.
func (c *conn) each() error {
	for {
		it, err := c.scanner.Next()
		if err == nil {
			err = c.item(it)
		}
		if err != nil {
			return err
		}
	}
}

func (c *conn) item(it *stream.Item) error {
	switch {
	case it.Kind == stream.Open:
		return c.header(it.Header)
	case it.Kind == stream.Close:
		return errEnded
	case it.Is(stream.NSStream, "error"):
		return errPeerError
	case c.session != nil:
		return c.receive(it)
	}
	return c.negotiate(it)
}

// write sends bytes of the negotiation; they leave with the next wait for input.
func (c *conn) write(f func([]byte) []byte) { c.queue.Append(f) }

// send writes a stanza to this connection.
func (c *conn) send(st *stanza.Stanza) {
	c.write(func(dst []byte) []byte { return st.AppendXML(dst, "") })
}

// drained waits for the queue to be empty, not for long; a stop may have come meanwhile.
// A queue that has failed stops the connection by itself.
func (c *conn) drained(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	return !errors.Is(c.queue.Sync(ctx), context.DeadlineExceeded)
}
