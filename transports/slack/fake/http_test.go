package fake_test

import (
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
