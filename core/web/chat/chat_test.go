package chat

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func start(t *testing.T, o Options) *http.ServeMux {
	t.Helper()
	routes, err := Routes(o)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.Handle(r.Pattern, r.Handler)
	}
	return mux
}

func get(mux *http.ServeMux, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	return w
}

// All that the page names is there, compressed or not.
func TestPage(t *testing.T) {
	t.Parallel()
	mux := start(t, Options{Hosts: []string{`a.example"><script>`, "b.example"}, Guests: "guest.example", Uploads: []string{"https://files.example"}})
	home := get(mux, "/")
	text, policy := home.Body.String(), home.Header().Get("Content-Security-Policy")
	if strings.Contains(text, `"><script>`) || !strings.Contains(text, `data-single="false"`) || !strings.Contains(text, `data-guest=""`) {
		t.Error(text)
	}
	script, _, _ := strings.Cut(policy[strings.Index(policy, "script-src"):], ";")
	if !strings.Contains(policy, "connect-src 'self' https://files.example;") || strings.Contains(script, "unsafe-inline") || strings.Contains(script, "unsafe-eval") && !strings.Contains(script, "wasm-unsafe-eval") {
		t.Error(policy)
	}
	if got := get(mux, "/guest").Body.String(); !strings.Contains(got, `data-guest="guest.example"`) {
		t.Error(got)
	}
	names := []string{"/" + encryption}
	for _, part := range strings.Split(text, `"/chat/`)[1:] {
		if name, _, _ := strings.Cut(part, `"`); !strings.HasSuffix(name, "/") {
			names = append(names, "/chat/"+name)
		}
	}
	for _, name := range names {
		plain, packed := get(mux, name), get(mux, name, "Accept-Encoding", "br, gzip")
		if plain.Code != 200 || packed.Code != 200 || plain.Header().Get("Content-Type") != packed.Header().Get("Content-Type") {
			t.Fatalf("%s: %d %d", name, plain.Code, packed.Code)
		}
		if packed.Header().Get("Content-Encoding") != "gzip" {
			continue
		}
		z, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(z)
		if err != nil || !bytes.Equal(b, plain.Body.Bytes()) {
			t.Errorf("%s: %d bytes compressed, %d not, %v", name, len(b), plain.Body.Len(), err)
		}
	}
	for _, path := range []string{"/chat/", "/chat/x/converse.min.js", "/index.html", "/../etc/passwd"} {
		if code := get(mux, path).Code; code == 200 {
			t.Errorf("%s: %d", path, code)
		}
	}
}
