package hostmeta

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// XEP-0156: both forms, for each host, readable for scripts of all pages; only links with TLS.
func TestDocuments(t *testing.T) {
	t.Parallel()
	var d Documents
	for host, address := range map[string]string{"a.example": "https://web.example:5443"} {
		if err := d.Add(host, Document{Links: ForClients(address)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Add("b.example", Document{Links: ForClients("https://b.example")}); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for _, r := range d.Routes() {
		mux.Handle(r.Pattern, r.Handler)
	}
	const before = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0"><Link rel="urn:xmpp:alt-connections:websocket" href="`
	for _, c := range []struct{ host, path, kind, want string }{
		{"a.example", path, "application/xrd+xml; charset=utf-8", before + `wss://web.example:5443/ws"></Link><Link rel="urn:xmpp:alt-connections:xbosh" href="https://web.example:5443/http-bind"></Link></XRD>`},
		{"A.example:443", jsonPath, "application/json", `{"links":[{"rel":"urn:xmpp:alt-connections:websocket","href":"wss://web.example:5443/ws"},{"rel":"urn:xmpp:alt-connections:xbosh","href":"https://web.example:5443/http-bind"}]}`},
		{"b.example", path, "application/xrd+xml; charset=utf-8", before + `wss://b.example/ws"></Link><Link rel="urn:xmpp:alt-connections:xbosh" href="https://b.example/http-bind"></Link></XRD>`},
		{"web.example", jsonPath, "application/json", `{"links":[{"rel":"urn:xmpp:alt-connections:websocket","href":"wss://web.example:5443/ws"},{"rel":"urn:xmpp:alt-connections:xbosh","href":"https://web.example:5443/http-bind"}]}`},
	} {
		r := httptest.NewRequest(http.MethodGet, c.path, http.NoBody)
		r.Host = c.host
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if got := w.Body.String(); got != c.want || w.Header().Get("Content-Type") != c.kind || w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s%s: %s, %v", c.host, c.path, got, w.Header())
		}
	}
	if links := ForClients("http://localhost:5280"); len(links) > 0 {
		t.Errorf("without TLS: %v", links)
	}
}
