package hostmeta

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// XEP-0487: with public addresses the form in JSON is complete, and has each connection with all that is mandatory; XEP-0156's form in XML does not
// change, and neither does anything without addresses.
func TestPublicDocuments(t *testing.T) {
	t.Parallel()
	all := Public{
		Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}, Clients: 5223, Servers: 5270, WebSocketOnOurHost: true,
	}
	elsewhere := all
	elsewhere.WebSocketOnOurHost = false
	const endpoint = `"ips":["192.0.2.1","2001:db8::1"],"priority":10,"weight":50,"sni":"`
	const socket = `{"rel":"urn:xmpp:alt-connections:websocket","href":"wss://a.example/ws"`
	const bosh = `{"rel":"urn:xmpp:alt-connections:xbosh","href":"https://a.example/http-bind"`
	tls := `{"rel":"urn:xmpp:alt-connections:s2s-tls","port":5270,` + endpoint + `a.example"},{"rel":"urn:xmpp:alt-connections:tls","port":5223,` + endpoint + `a.example"},`
	inXML := `<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0"><Link rel="urn:xmpp:alt-connections:websocket" href="wss://a.example/ws"></Link><Link rel="urn:xmpp:alt-connections:xbosh" href="https://a.example/http-bind"></Link></XRD>`
	for name, c := range map[string]struct {
		public         Public
		host           string
		asJSON, asText string
	}{
		"all":           {all, "a.example", `{"xmpp":{"ttl":3600},"links":[` + tls + socket + `,` + endpoint + `a.example"},` + bosh + `,` + endpoint + `a.example"}]}`, inXML},
		"another web":   {elsewhere, "A.example:443", `{"xmpp":{"ttl":3600},"links":[` + tls + socket + `},` + bosh + `}]}`, inXML},
		"no addresses":  {Public{Clients: 5223, Servers: 5270}, "a.example", `{"links":[` + socket + `},` + bosh + `}]}`, inXML},
		"below":         {all, "rooms.a.example", `{"xmpp":{"ttl":3600},"links":[{"rel":"urn:xmpp:alt-connections:s2s-tls","port":5270,` + endpoint + `rooms.a.example"}]}`, `<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0"></XRD>`},
		"not ours":      {all, "b.example", `{"xmpp":{"ttl":3600},"links":[` + tls + socket + `,` + endpoint + `a.example"},` + bosh + `,` + endpoint + `a.example"}]}`, inXML},
		"no federation": {Public{Addresses: all.Addresses, Clients: 5223}, "a.example", `{"xmpp":{"ttl":3600},"links":[{"rel":"urn:xmpp:alt-connections:tls","port":5223,` + endpoint + `a.example"},` + socket + `},` + bosh + `}]}`, inXML},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := Documents{Below: func(domain string) (Document, bool) { return c.public.Below(domain), domain == "rooms.a.example" }}
			if err := d.Add("a.example", c.public.Document("a.example", ForClients("https://a.example"))); err != nil {
				t.Fatal(err)
			}
			for i, want := range []string{c.asText, c.asJSON} {
				r := httptest.NewRequest(http.MethodGet, d.Routes()[i].Pattern[len("GET "):], http.NoBody)
				r.Host = c.host
				w := httptest.NewRecorder()
				d.Routes()[i].Handler.ServeHTTP(w, r)
				if got := w.Body.String(); !strings.HasSuffix(got, want) || i == 1 && got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			}
		})
	}
}
