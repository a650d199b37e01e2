package server

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// startCheck is a service that knows ann, as long as gone is not set. It returns the section of the configuration.
func startCheck(t *testing.T, gone *atomic.Bool) string {
	t.Helper()
	s := httptest.NewTLSServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		var q struct{ Action, Username, Password string }
		ok := json.NewDecoder(r.Body).Decode(&q) == nil && q.Username == "ann" && (q.Action == "find" || q.Password == "ann") && !gone.Load()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, fmt.Sprintf(`{"ok": %v, "id": "1"}`, ok))
	}))
	t.Cleanup(s.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("[[http_check]]\nurl = %q\nca = %q\nsecret = \"shared\"\nfind = true\n", s.URL, ca)
}

// A client of an account that another back end authenticates gets tokens if that is configured. They end when the back end does not know the
// person any more, and do not come back with them.
func TestTokensOfForeignAccounts(t *testing.T) {
	t.Parallel()
	var gone atomic.Bool
	section := startCheck(t, &gone)
	w := free("foreign_tokens = \"24h\"")
	w.component = section
	p := newTestServer(t, w)
	defer p.stop()
	_, token, failure := p.try(password("ann", device(1), "HT-SHA-256-NONE"))
	if token == "" || failure != "" {
		t.Fatalf("token %q, failure %q", token, failure)
	}
	p.refused(withToken("ann", token, device(1)), "")
	p.refused(withToken("ann", token, device(2)), "not-authorized")
	gone.Store(true)
	p.refused(withToken("ann", token, device(1)), "not-authorized")
	gone.Store(false)
	p.refused(withToken("ann", token, device(1)), "not-authorized")
	// Accounts of the server are not asked about.
	gone.Store(true)
	p.refused(withToken("romeo", p.issued(device(1), "HT-SHA-256-NONE"), device(1)), "")
}

// By default they get none.
func TestNoTokensOfForeignAccounts(t *testing.T) {
	t.Parallel()
	w := free("")
	w.component = startCheck(t, new(atomic.Bool))
	p := newTestServer(t, w)
	defer p.stop()
	if _, token, failure := p.try(password("ann", device(1), "HT-SHA-256-NONE")); token != "" || failure != "" {
		t.Errorf("token %q, failure %q", token, failure)
	}
}
