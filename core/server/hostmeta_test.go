package server

import (
	"fmt"
	"io"
	nethttp "net/http"
	"strings"
	"testing"
)

// With public addresses each domain that is served publishes where others connect to it (XEP-0487); a name that is not served gets the first
// host's document, with no name of its own in it.
func TestHostMeta(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{limits: "[web]\naddresses = [\"192.0.2.1\"]\nserver_port = 443\n[federation]\nenabled = \"yes\"\nrequire_tls = false"})
	t.Cleanup(nethttp.DefaultClient.CloseIdleConnections)
	read := func(host string) string {
		r, err := nethttp.NewRequestWithContext(t.Context(), nethttp.MethodGet, "http://"+p.server.ports.http[0].Addr().String()+"/.well-known/host-meta.json", nethttp.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		answer, err := nethttp.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		b, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	server := func(domain string) string {
		return fmt.Sprintf(`{"rel":"urn:xmpp:alt-connections:s2s-tls","port":443,"ips":["192.0.2.1"],"priority":10,"weight":50,"sni":%q}`, domain)
	}
	for host, want := range map[string]string{"home.test": server("home.test"), "conference.home.test": server("conference.home.test"), "evil.test": server("home.test")} {
		got := read(host)
		if !strings.HasPrefix(got, `{"xmpp":{"ttl":3600},"links":[`) || !strings.Contains(got, want) {
			t.Errorf("%s: %s", host, got)
		}
		if clients := strings.Contains(got, "websocket"); clients != (host != "conference.home.test") {
			t.Errorf("%s: %s", host, got)
		}
	}
}
