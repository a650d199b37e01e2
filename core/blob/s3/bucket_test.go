package s3

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// late is a content that breaks a while after the storage has answered. It waits for a timer and not for Create, which would put the
// two accesses in an order that the race detector takes for a safe one.
type late struct {
	left  int
	ended chan struct{}
}

func (l *late) Read(b []byte) (int, error) {
	if l.left > 0 {
		n := min(len(b), l.left)
		l.left -= n
		return n, nil
	}
	<-time.After(50 * time.Millisecond)
	defer close(l.ended)
	return 0, errors.New("reset by peer")
}

// A storage that answers before it has read the content: what Create returns and the breaking content do not race.
func TestEarlyAnswer(t *testing.T) {
	t.Parallel()
	content := &late{left: 64 << 10, ended: make(chan struct{})}
	storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadFull(r.Body, make([]byte, 1))
		w.WriteHeader(http.StatusForbidden)
		_ = http.NewResponseController(w).Flush()
	}))
	defer storage.Close()
	b, err := Open(Options{URL: storage.URL, Region: "r", Bucket: "bucket", Key: "k", Secret: "s"})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Create(t.Context(), "0123456789abcdefghij", 1<<20, content); err == nil {
		t.Error("it was stored")
	}
	select {
	case <-content.ended: // it was read until it broke
	case <-time.After(time.Second): // it is not read any more
	}
}
