package component

import (
	"cmp"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Timeouts and limits that no setting changes.
const (
	defaultWait    = 15 * time.Second // from connecting to being attached
	closeTime      = 5 * time.Second  // for what is queued and the peer's end of the stream
	lingerTime     = time.Second      // for the peer to read our error before the socket goes
	lingerBytes    = 1 << 20
	defaultIdle    = 5 * time.Minute // silence before a ping, and again before giving up
	defaultBytes   = 512 << 10       // of a stanza
	defaultQueue   = 16 << 20        // bytes that wait for the peer
	maxHandshaking = 64              // connections that have not proved themselves
	strangerItems  = 3               // what those may send altogether is so many elements of the largest size
)

const nsPing = "urn:xmpp:ping"

var (
	errStopped = errors.New("stopped")
	errEnded   = errors.New("peer ended the stream")
	errSilent  = stream.NewError(stream.ConnectionTimeout, "no answer")
	errFlood   = stream.NewError(stream.PolicyViolation, "too much before the handshake")
)

// PeerError is a stream error that the peer sent. It is no stream.Error itself: that is what we
// say to a peer, and nobody is told his own fault.
type PeerError struct{ Cause *stream.Error }

func (e PeerError) Error() string { return "peer's " + e.Cause.Error() }

// wire is one connection of either end.
type wire struct {
	conn    net.Conn
	scanner *stream.Scanner
	queue   *stream.Queue
	log     *slog.Logger

	idle    time.Duration
	flush   func()                // before waiting for input
	ping    func() *stanza.Stanza // what to ask a silent peer
	asked   bool
	until   time.Time // of the handshake; zero afterwards
	budget  int       // bytes that may come before the handshake; 0 is no limit
	stopped atomic.Pointer[error]
	poked   atomic.Bool
	total   int64 // bytes appended to queue; changed in Append only, where the queue is locked
}

func newWire(conn net.Conn, queueBytes int, idle time.Duration, log *slog.Logger) *wire {
	w := &wire{conn: conn, idle: idle, log: log, flush: func() {}, until: time.Now().Add(defaultWait)}
	w.ping = func() *stanza.Stanza { return nil }
	w.queue = stream.NewQueue(stream.Wrap(conn), stream.QueueLimits{Bytes: queueBytes}, func(err error, _ int) { w.stop(err) })
	w.scanner = stream.NewScanner(w, stanza.NSComponent, stream.BeforeLogin())
	return w
}

// attached ends the handshake: stanzas of the full size may come, in any time.
func (w *wire) attached(l stream.Limits) {
	w.scanner.SetLimits(filled(l))
	w.until, w.budget = time.Time{}, 0
}

// filled has the defaults where a limit is not set.
func filled(l stream.Limits) stream.Limits {
	d := stream.ForServers()
	return stream.Limits{
		Bytes: cmp.Or(l.Bytes, d.Bytes), Elements: cmp.Or(l.Elements, d.Elements),
		Depth: cmp.Or(l.Depth, d.Depth), Attrs: cmp.Or(l.Attrs, d.Attrs),
	}
}

// stop makes the reader return err; the first call counts. It does not wait.
func (w *wire) stop(err error) {
	if w.stopped.CompareAndSwap(nil, &err) {
		_ = w.conn.SetReadDeadline(time.Unix(1, 0)) // a closed connection returns by itself
	}
}

// poke makes the reader call flush again. It does not wait.
func (w *wire) poke() {
	w.poked.Store(true)
	_ = w.conn.SetReadDeadline(time.Unix(1, 0))
}

// Read is what the scanner reads from. It is called when all that has arrived is used up.
func (w *wire) Read(p []byte) (int, error) {
	for {
		w.flush()
		deadline := w.until
		if deadline.IsZero() {
			deadline = time.Now().Add(w.idle)
		}
		if err := w.conn.SetReadDeadline(deadline); err != nil {
			return 0, err
		}
		if err := w.stopped.Load(); err != nil { // after the deadline was set: stop sets it again
			return 0, *err
		}
		if w.poked.Swap(false) {
			continue
		}
		n, err := w.conn.Read(p)
		if n > 0 {
			w.asked = false
			if w.budget > 0 {
				if w.budget -= n; w.budget <= 0 {
					return 0, errFlood
				}
			}
			return n, nil
		}
		if why := w.stopped.Load(); why != nil {
			return 0, *why
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, err
		}
		if w.poked.Swap(false) || time.Now().Before(deadline) {
			continue
		}
		if w.asked || !w.until.IsZero() {
			return 0, errSilent // RFC 6120 §4.9.3.4
		}
		w.asked = true
		w.send(w.ping())
		w.queue.Flush()
	}
}

// append adds to the queue; end counts all bytes up to and including these. False means
// that the connection has failed.
func (w *wire) append(f func([]byte) []byte) (end int64, ok bool) {
	ok = w.queue.Append(func(dst []byte) []byte {
		before := len(dst)
		dst = f(dst)
		w.total += int64(len(dst) - before)
		end = w.total
		return dst
	})
	return end, ok
}

// send appends a stanza.
func (w *wire) send(st *stanza.Stanza) (end int64, ok bool) {
	return w.append(func(dst []byte) []byte { return st.AppendXML(dst, "") })
}

// write sends bytes of the negotiation.
func (w *wire) write(b []byte) {
	w.append(func(dst []byte) []byte { return append(dst, b...) })
	w.queue.Flush()
}

// each reads stanzas until something ends the stream and returns that.
func (w *wire) each(receive func(*stream.Item) error) error {
	for {
		it, err := w.scanner.Next()
		if err != nil {
			return err
		}
		switch {
		case it.Kind == stream.Close:
			return errEnded
		case it.Is(stream.NSStream, "error"):
			return w.peerError(it)
		case it.StanzaKind() == 0:
			err = stream.NewError(stream.UnsupportedStanzaType, "")
		default:
			err = receive(it)
		}
		if err != nil {
			return err
		}
	}
}

func (w *wire) peerError(it *stream.Item) error {
	e, err := it.Tree()
	if err != nil {
		return fmt.Errorf("read stream error: %w", err)
	}
	return PeerError{stream.ParseError(e)}
}

// end closes the stream because of err and then the connection (RFC 6120 §4.4, §4.9.1.1).
// open tells whether we have sent a header.
func (w *wire) end(err error, open bool) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	if open {
		w.append(func(dst []byte) []byte {
			if e := stream.AsError(err); e != nil && !w.peerLeft(err) {
				dst = e.Append(dst)
			}
			return stream.AppendClose(dst)
		})
	}
	if w.queue.Close(ctx) == nil && !w.gone(err) {
		w.linger()
	}
	_ = w.conn.Close() // nothing is left to be lost
	w.queue.Wait()
}

// leave closes our side and reads on until the peer has closed its own (RFC 6120 §4.4).
func (w *wire) leave(receive func(*stream.Item) error) {
	w.write(stream.AppendClose(nil))
	w.stopped.Store(nil)
	w.until = time.Now().Add(closeTime)
	if err := w.each(receive); !errors.Is(err, errEnded) {
		w.log.Debug("stream not ended by the peer", "err", err)
	}
}

// peerLeft tells whether err needs no stream error of ours.
func (w *wire) peerLeft(err error) bool {
	var p PeerError
	return errors.As(err, &p) || errors.Is(err, errEnded) || errors.Is(err, errStopped) || w.gone(err)
}

// gone tells whether nobody is there to read any more.
func (w *wire) gone(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &op) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, stream.ErrSlow)
}

// linger reads what the peer still sends and throws it away: closing a socket with
// unread input would make the peer lose what we wrote last.
func (w *wire) linger() {
	if c, ok := w.conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
	_ = w.conn.SetReadDeadline(time.Now().Add(lingerTime))
	_, _ = io.CopyN(io.Discard, w.conn, lingerBytes)
}

// handshake is what proves the secret: hex(SHA-1(stream id + secret)), XEP-0114 §3.
func handshake(id, secret string) string {
	sum := sha1.Sum([]byte(id + secret))
	return hex.EncodeToString(sum[:])
}

// newPing asks a silent peer for a sign of life (XEP-0199).
func newPing(to, from jid.JID) *stanza.Stanza {
	return stanza.NewIQ(to, from, stanza.TypeGet, stanza.NewElement(nsPing, "ping"))
}
