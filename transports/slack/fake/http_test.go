package fake_test

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"time"
)

// newHTTP is a client whose connections end with the test.
func newHTTP(t testing.TB) *http.Client {
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 20 * time.Second}
}

// fetch is what is at an address.
func fetch(t testing.TB, url string) string {
	t.Helper()
	r, err := newHTTP(t).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	b, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, r.Status, err)
	}
	return string(b)
}

func asError[T error](err error, into *T) bool { return errors.As(err, into) }

// frozen is a clock that stands.
func frozen() time.Time { return time.Unix(1750000000, 0) }
