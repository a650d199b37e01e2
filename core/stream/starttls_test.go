package stream

import (
	"io"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/internal/socketpair"
	"github.com/dragoman-im/dragoman/core/outbound"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// TestStartTLS negotiates TLS (RFC 6120 §5.4) with a queue and scanners on both ends.
func TestStartTLS(t *testing.T) { // checklist 21 22
	t.Parallel()
	near, far := socketpair.New(t)
	s := NewScanner(near, stanza.NSClient, BeforeLogin())
	q := outbound.NewQueue(near, outbound.Limits{}, nil)
	c := NewScanner(far, stanza.NSClient, BeforeLogin())
	send := func(text string) {
		t.Helper()
		if _, err := io.WriteString(far, text); err != nil {
			t.Fatal(err)
		}
	}
	send(head)
	next(t, s)
	q.Append((&Header{Content: stanza.NSClient, ID: "1", Version: "1.0"}).Append)
	q.Append(func(dst []byte) []byte { return AppendFeatures(dst, StartTLSFeature(true)) })
	q.Flush()
	next(t, c)
	if it := next(t, c); !it.Is(NSStream, "features") {
		t.Fatal(string(it.Raw))
	}
	send("<starttls xmlns='" + NSTLS + "'/>")
	if it := next(t, s); !it.Is(NSTLS, "starttls") || s.Buffered() != 0 {
		t.Fatal(string(it.Raw))
	}
	q.Append(AppendProceed)
	if err := q.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if it := next(t, c); !it.Is(NSTLS, "proceed") {
		t.Fatal(string(it.Raw))
	}
	socketpair.Secure(t, near, far)
	if _, ok := near.TLS(); !ok || near.ServerTLS(t.Context(), nil) == nil {
		t.Error("not TLS, or twice")
	}
	s.Reset(near)
	c.Reset(far)
	send(head)
	next(t, s)
	q.Append((&Header{Content: stanza.NSClient, ID: "2", Version: "1.0"}).Append)
	q.Append(AppendClose)
	q.Flush()
	if it := next(t, c); it.Header.ID != "2" {
		t.Error(it.Header)
	}
	if it := next(t, c); it.Kind != Close {
		t.Error(it.Kind)
	}
	if err := q.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := near.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.Next(); err != io.EOF { // package socket's TestCloseNotify checks close_notify
		t.Error(err)
	}
	q.Wait()
}

// A peer that reads nothing must not delay Close.
func TestCloseDoesNotWait(t *testing.T) {
	t.Parallel()
	near, far := socketpair.New(t)
	socketpair.Secure(t, near, far)
	q := outbound.NewQueue(near, outbound.Limits{Bytes: 64 << 20}, nil)
	q.AppendBytes(make([]byte, 8<<20))
	q.Flush()
	start := time.Now()
	_ = near.Close()
	q.Wait()
	if d := time.Since(start); d > 4*time.Second {
		t.Error(d)
	}
	if q.Sync(t.Context()) == nil {
		t.Error("the queue has not failed, although the peer read nothing")
	}
}
