package outbound

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/unacked"
)

func numbered(n int) Retained {
	body := stanza.TextElement("", "body", strings.Repeat("x", n))
	return Retained{Stanza: stanza.NewMessage(jid.JID{}, jid.JID{}, "chat", body)}
}

func retaining(t *testing.T, limits RetainLimits) (q *Queue, peer net.Conn) {
	here, there := net.Pipe()
	t.Cleanup(func() { _, _ = here.Close(), there.Close() })
	return NewQueue(here, Limits{Retain: limits}, func(error, int) { _ = here.Close() }), there
}

// Done is called for a retained stanza when it is written; Unwritten returns the others in order.
func TestQueueRetain(t *testing.T) {
	t.Parallel()
	q, peer := retaining(t, RetainLimits{Stanzas: 10, Bytes: 1 << 20})
	done := make(chan int, 10)
	add := func(n int) {
		t.Helper()
		s := numbered(n)
		s.Done = func(err error) {
			if err != nil {
				t.Error(err)
			}
			done <- n
		}
		if err := q.Retain(s); err != nil {
			t.Fatal(err)
		}
	}
	add(1)
	q.AppendBytes([]byte("<a/>"))
	add(2)
	q.Flush()
	buf := make([]byte, q.Pending())
	if _, err := io.ReadFull(peer, buf); err != nil {
		t.Fatal(err)
	}
	if a, b := <-done, <-done; a != 1 || b != 2 {
		t.Errorf("written: %d and %d", a, b)
	}
	add(3)
	q.Flush() // nobody reads
	add(4)
	if err := q.Retain(numbered(5)); err != nil {
		t.Fatal(err)
	}
	_ = peer.Close()
	q.Wait()
	if err := q.Retain(numbered(6)); err == nil || errors.Is(err, ErrFull) {
		t.Errorf("retained after the end: %v", err)
	}
	var sizes []int
	for _, s := range q.Unwritten() {
		sizes = append(sizes, len(s.Stanza.Body()))
		if (s.Done == nil) != (len(s.Stanza.Body()) == 5) {
			t.Error("Done is lost")
		}
	}
	if len(sizes) != 3 || sizes[0] != 3 || sizes[1] != 4 || sizes[2] != 5 {
		t.Errorf("unwritten: %v", sizes)
	}
	if len(done) != 0 || len(q.Unwritten()) != 0 {
		t.Error("an unwritten stanza counts as written, or is returned twice")
	}
}

// The number and the bytes of retained stanzas are limited; written ones do not count.
func TestQueueRetainLimits(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string]RetainLimits{
		"number": {Stanzas: 2, Bytes: 1 << 20},
		"bytes":  {Stanzas: 10, Bytes: 2 * RetainedSize(numbered(1).Stanza)},
		"none":   {},
	} {
		q, peer := retaining(t, limits)
		n := 0
		for q.Retain(numbered(1)) == nil {
			n++
		}
		if err := q.Retain(numbered(1)); err != ErrFull || n != min(2, limits.Stanzas) {
			t.Errorf("%s: %d are retained, then %v", name, n, err)
		}
		if n == 0 {
			continue
		}
		go func() { _, _ = io.Copy(io.Discard, peer) }()
		if err := q.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := q.Retain(numbered(1)); err != nil {
			t.Errorf("%s: %v after all is written", name, err)
		}
	}
}

// frameRecorder is a FrameWriter that records the frames of each write.
type frameRecorder struct {
	FrameWriter
	writes [][]string
}

func (f *frameRecorder) WriteFrames(p []byte, ends []int) error {
	var frames []string
	from := 0
	for _, end := range ends {
		frames = append(frames, string(p[from:end]))
		from = end
	}
	if from != len(p) {
		return errors.New("bytes after the last frame")
	}
	f.writes = append(f.writes, frames)
	return nil
}

// Each call of Append is one frame; a stanza declares its namespace (RFC 7395 §3.3.3).
func TestQueueFrames(t *testing.T) {
	t.Parallel()
	f := &frameRecorder{}
	q := NewFrameQueue(noDeadlines{f}, stanza.NSClient, Limits{Bytes: 200}, nil)
	q.AppendBytes([]byte("<a/>"))
	q.AppendBytes(nil)
	q.AppendStanza(&stanza.Stanza{Kind: stanza.Message, ID: "1"})
	if err := q.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	q.AppendBytes([]byte("<b/>"))
	if err := q.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(f.writes) != 2 || strings.Join(f.writes[0], "|") != "<a/>|<message xmlns='jabber:client' id='1'/>" || strings.Join(f.writes[1], "|") != "<b/>" {
		t.Errorf("written: %q", f.writes)
	}
}

// noDeadlines is a FrameWriter without deadlines.
type noDeadlines struct{ *frameRecorder }

func (noDeadlines) SetWriteDeadline(time.Time) error { return nil }

// After Release a stanza is neither appended nor counted, and the queue writes what it has.
func TestRelease(t *testing.T) {
	t.Parallel()
	q, _ := retaining(t, RetainLimits{})
	u := unacked.New(0, unacked.Limits{Stanzas: 10, Bytes: 1 << 20}, unacked.Hooks{})
	q.Manage(u, func(dst []byte) []byte { return dst })
	if !q.AppendStanza(numbered(1).Stanza) {
		t.Fatal("not appended")
	}
	q.Release()
	q.Unwritten()
	before := q.Pending()
	if q.AppendStanza(numbered(2).Stanza) || len(u.Stanzas()) != 1 || q.Pending() != before {
		t.Errorf("%d stanzas, %d bytes", len(u.Stanzas()), q.Pending())
	}
	if !q.AppendBytes([]byte("</stream:stream>")) || q.Pending() <= before {
		t.Error("the queue has failed")
	}
}

// A stanza that goes to many is written with each receiver's address, and only where nothing has to be kept.
func TestAppendShared(t *testing.T) {
	t.Parallel()
	q, _ := retaining(t, RetainLimits{})
	st := numbered(1).Stanza.WithTo(jid.JID{})
	to := jid.MustParse("bob@example.org/x")
	before := q.Pending()
	if !q.AppendShared(st, to) || q.Pending()-before != len(st.WithTo(to).String()) {
		t.Errorf("%d bytes appended", q.Pending()-before)
	}
	u := unacked.New(0, unacked.Limits{Stanzas: 10, Bytes: 1 << 20}, unacked.Hooks{})
	q.Manage(u, func(dst []byte) []byte { return dst })
	before = q.Pending()
	if q.AppendShared(st, to) || q.Pending() != before || len(u.Stanzas()) != 0 {
		t.Error("appended to a queue that keeps stanzas")
	}
	q.Release()
	if q.AppendShared(st, to) || q.Pending() != before {
		t.Error("appended after Release")
	}
}
