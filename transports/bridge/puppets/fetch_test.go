package puppets

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
)

const pngHead = "\x89PNG\r\n\x1a\n"

// Pictures are read from where the network is, and else by https from public addresses only: also where a redirect or a name
// leads to another address.
func TestFetch(t *testing.T) {
	t.Parallel()
	big := pngHead + strings.Repeat("x", maxPhoto)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(pngHead)) }))
	t.Cleanup(other.Close)
	network := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/picture":
			_, _ = w.Write([]byte(pngHead + "rest"))
		case "/moved":
			http.Redirect(w, r, "/picture", http.StatusFound)
		case "/elsewhere":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/big":
			_, _ = w.Write([]byte(big))
		case "/page":
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write([]byte("<html><body>no picture</body></html>"))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(network.Close)
	port := strings.TrimPrefix(other.URL, "http://127.0.0.1:")
	f := newFetcher(network.URL)
	for address, want := range map[string]string{
		network.URL + "/picture": "", network.URL + "/moved": "",
		network.URL + "/elsewhere": gateway.ErrPrivate.Error(), network.URL + "/loop": "too many redirects", network.URL + "/big": "more than",
		network.URL + "/page": "no picture", network.URL + "/nothing": "status 404",
		other.URL: gateway.ErrPrivate.Error(), "https://127.0.0.1:" + port: gateway.ErrPrivate.Error(), "https://localhost:" + port: gateway.ErrPrivate.Error(),
		"https://[::1]:" + port: gateway.ErrPrivate.Error(), "https://[::ffff:127.0.0.1]:" + port: gateway.ErrPrivate.Error(), "https://10.0.0.1/": gateway.ErrPrivate.Error(),
		"https://169.254.169.254/": gateway.ErrPrivate.Error(), "https://[fe80::1]/": gateway.ErrPrivate.Error(), "https://[64:ff9b::7f00:1]/": gateway.ErrPrivate.Error(),
		"https://[::7f00:1]/": gateway.ErrPrivate.Error(), "https://[fec0::1]/": gateway.ErrPrivate.Error(),
		"https://user:secret@example.org/": gateway.ErrPrivate.Error(), "file:///etc/passwd": gateway.ErrPrivate.Error(), "%zz": gateway.ErrPrivate.Error(),
	} {
		data, err := f.fetch(t.Context(), address)
		switch {
		case want == "" && (err != nil || string(data) != pngHead+"rest"):
			t.Errorf("%s: %q, %v", address, data, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
	if _, err := newFetcher("").fetch(t.Context(), network.URL+"/picture"); !errors.Is(err, gateway.ErrPrivate) {
		t.Errorf("without an address of its own: %v", err)
	}
	f.client.CloseIdleConnections()
	if u, _ := url.Parse("https://example.org/a.png"); f.check(u) != nil {
		t.Error("a public address is refused")
	}
}
