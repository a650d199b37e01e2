package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/dragoman-im/dragoman/core/outbound"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Timeouts that no setting changes.
const (
	closeTime  = 5 * time.Second // for pending output, and for the peer's end of the stream
	lingerTime = time.Second     // for the peer to read our last bytes before the socket is closed
)

// Reasons for the end of a stream, besides stream errors and errors of the transport. The peer gets no stream
// error for these.
var (
	ErrEnded     = errors.New("peer ended the stream")
	ErrLeave     = errors.New("stream ended by us")
	ErrHandshake = errors.New("TLS handshake failed")
	ErrNoTLS     = errors.New("TLS refused")
)

// errWrite is wrapped by the errors of the queue, whatever the transport calls them.
var errWrite = errors.New("write to peer")

// ErrSilent ends a stream whose peer did not answer a ping, or did not end its side in time.
var ErrSilent = NewError(ConnectionTimeout, "no answer") // RFC 6120 §4.9.3.4

// ErrSlowElement ends a stream whose peer takes longer than Config.Element to send one element.
var ErrSlowElement = NewError(ConnectionTimeout, "an element took too long")

// PeerError is a stream error that the peer sent. It is not an Error, because an Error is sent to the peer.
type PeerError struct{ Cause *Error }

func (e PeerError) Error() string { return "peer's " + e.Cause.Error() }

// Handler implements what is particular to one kind of connection. All methods are called by the goroutine that
// runs the connection. An error ends the stream; if it is an Error it is sent to the peer.
type Handler interface {
	// Open handles the stream header of the peer: the first, and each one after TLS and Restart.
	Open(h *Header) error
	// Negotiate handles an element that arrives before Establish.
	Negotiate(it *Item) error
	// Receive handles a stanza that arrives after Establish.
	Receive(it *Item) error
	// Flush is called when all input that has arrived is handled. It flushes the queues of other connections.
	Flush()
	// Ping returns the request to send to a peer that has been silent, or nil if the handler has done what it does about that: then
	// silence does not end the stream.
	Ping() *stanza.Stanza
}

// Config is shared by all connections of one kind.
type Config struct {
	Content string          // namespace of the stanzas: stanza.NSClient, NSServer or NSComponent
	Limits  Limits          // of what arrives before Establish
	Queue   outbound.Limits // of the output
	Rate    int             // average bytes a second that are read; 0: no limit
	Burst   int             // bytes that may be read without delay
	// Idle is how long an established stream may be silent before a ping is sent, and then how long until the stream ends.
	Idle time.Duration
	// Element is how long the peer of an established stream may take to send one element. Only the time counts in which this side waits for it.
	// 0: no limit.
	Element time.Duration
	// Pace, which may be nil, is called before each read. It may block until stop is closed.
	Pace func(stop <-chan struct{})
	// Elements handle what arrives after Establish and is not a stanza. Other elements end the stream.
	Elements map[Name]func(Handler, *Item) error
	Counters *Counters
	Log      *slog.Logger
}

// Name is the expanded name of an element.
type Name struct{ Space, Local string }

// Conn runs one connection of any kind over any transport: it reads, keeps deadlines and limits, pings a
// silent peer, flushes, and closes the stream.
//
// One goroutine calls Run, Leave and Close; it owns the connection. Others may call Send, Queue, Stop,
// Stopping and Wake.
type Conn struct {
	config  *Config
	handler Handler
	ctx     context.Context // of all that the connection does; its end makes Close write no longer
	log     *slog.Logger

	transport Transport // nil if frames is set
	frames    FrameTransport
	scanner   *Scanner
	queue     *outbound.Queue

	state  connState
	clock  clock
	intake intake
	stop   stopper
	rest   rest
	group  *Group // nil unless Group.Go was called
}

// connState is the state of the stream.
type connState struct {
	headerSent  bool
	established bool
	leaving     bool // our direction has ended
}

// NewConn returns a connection over a byte stream.
func NewConn(ctx context.Context, config *Config, t Transport, handler Handler) *Conn {
	c := newConn(ctx, config, handler)
	c.transport = t
	c.scanner = NewScanner((*input)(c), config.Content, config.Limits)
	c.queue = outbound.NewQueue(t, config.Queue, c.queueFailed)
	return c
}

// NewFramedConn returns a connection over frames.
func NewFramedConn(ctx context.Context, config *Config, t FrameTransport, handler Handler) *Conn {
	c := newConn(ctx, config, handler)
	c.frames = t
	c.scanner = NewFramed(config.Content, config.Limits)
	c.queue = outbound.NewFrameQueue(t, config.Content, config.Queue, c.queueFailed)
	c.limitFrames(config.Limits)
	if a, ok := t.(answerer); ok {
		a.UseQueue(c.queue)
	}
	return c
}

func newConn(ctx context.Context, config *Config, handler Handler) *Conn {
	c := &Conn{config: config, handler: handler, ctx: ctx, log: config.Log}
	c.stop.done = make(chan struct{})
	c.intake.init(config)
	return c
}

// Context returns the base context of the connection.
func (c *Conn) Context() context.Context { return c.ctx }

// Log returns the connection's logger.
func (c *Conn) Log() *slog.Logger { return c.log }

// AddLog adds attributes to the connection's logger.
func (c *Conn) AddLog(attrs ...any) { c.log = c.log.With(attrs...) }

// Header returns the peer's latest header as far as it could be parsed, nil before there is one.
func (c *Conn) Header() *Header { return c.scanner.Header() }

// Queue returns the outbound queue. The next Flush sends what has been appended.
func (c *Conn) Queue() *outbound.Queue { return c.queue }

// Framed reports whether the stream has frames.
func (c *Conn) Framed() bool { return c.frames != nil }

// Established reports whether Establish has been called.
func (c *Conn) Established() bool { return c.state.established }

// Establish ends the negotiation: from now on stanzas are passed to Receive, and the deadline of Expire and the limit of
// Budget do not apply any more.
func (c *Conn) Establish() {
	c.state.established = true
	c.clock.until, c.clock.set = time.Time{}, time.Time{}
	c.intake.budget = 0
	c.rest.reads.Add(1)
}

// SetLimits changes the limits of the elements that follow.
func (c *Conn) SetLimits(l Limits) {
	c.scanner.SetLimits(l)
	c.limitFrames(l)
}

func (c *Conn) limitFrames(l Limits) {
	if t, ok := c.frames.(frameLimiter); ok {
		t.SetMaxFrame(l.filled().Bytes)
	}
}

// Restart expects a new header from the peer, after SASL. Input that has arrived already is kept.
func (c *Conn) Restart() {
	c.state.headerSent, c.intake.opened = false, false
	c.scanner.Restart()
}

// Run reads until the stream ends and returns why. A panic of the handler becomes internal-server-error. After ErrRest the stream has not
// ended, and Run is called again.
func (c *Conn) Run() (err error) {
	defer func() {
		if v := recover(); v != nil {
			c.panicked(v)
			err = NewError(InternalServerError, "")
		}
	}()
	for {
		var it *Item
		if c.frames != nil {
			it, err = c.nextFrame()
		} else {
			it, err = c.scanner.Next()
		}
		if err == nil {
			c.intake.spent = 0
			err = c.dispatch(it)
		}
		if err != nil {
			return err
		}
	}
}

// nextFrame returns the next element of a framed stream.
func (c *Conn) nextFrame() (*Item, error) {
	for c.intake.frame = nil; c.intake.frame == nil; {
		if err := c.takeFrame(); err != nil {
			return nil, err
		}
	}
	it, err := c.scanner.Frame(c.intake.frame)
	if err == nil && (it.Kind == Open) == c.intake.opened {
		return nil, errRoot // RFC 7395 §3.4: the first frame, and no other, is open
	}
	c.intake.opened = true
	return it, err
}

// takeFrame reads a frame into c.intake.frame. If none has arrived, it first flushes what was caused so far: see input.Read.
func (c *Conn) takeFrame() error {
	if b, ok := c.frames.(buffered); ok && b.HasFrame() {
		n, err := c.readFrame()
		if err != nil {
			return err
		}
		return c.count(n)
	}
	c.scanner.Idle()
	_, err := (*input)(c).Read(nil)
	return err
}

func (c *Conn) dispatch(it *Item) error {
	switch {
	case it.Kind == Open:
		return c.handler.Open(it.Header)
	case it.Kind == Close:
		return ErrEnded
	case c.state.established && it.StanzaKind() != 0:
		return c.handler.Receive(it)
	case it.Is(NSStream, "error"):
		return peerError(it)
	case !c.state.established:
		return c.handler.Negotiate(it)
	}
	if handle := c.config.Elements[Name{string(it.Space()), string(it.Local())}]; handle != nil {
		return handle(c.handler, it)
	}
	return NewError(UnsupportedStanzaType, "") // RFC 6120 §4.9.3.24
}

func peerError(it *Item) error {
	e, err := it.Tree()
	if err != nil {
		return fmt.Errorf("read stream error: %w", err)
	}
	return PeerError{ParseError(e)}
}

func (c *Conn) panicked(v any) {
	c.config.Counters.Panics.Add(1)
	c.log.Error("panic", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
}

// PeerGone reports whether err means that the peer does not read any more.
func PeerGone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errWrite) || isNetError(err)
}
