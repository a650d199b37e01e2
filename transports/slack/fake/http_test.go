package fake_test

import (
	"errors"
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

func asError[T error](err error, into *T) bool { return errors.As(err, into) }

// frozen is a clock that always shows the same time.
func frozen() time.Time { return time.Unix(1750000000, 0) }
