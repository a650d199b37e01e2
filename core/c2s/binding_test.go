package c2s

import (
	"crypto/sha256"
	"crypto/tls"
	"strings"
	"testing"
)

// bindings returns the data of the channel bindings as a client computes them.
func bindings(t *testing.T, state tls.ConnectionState) map[string]string {
	exporter, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32) // RFC 9266 §2
	if err != nil {
		t.Fatal(err)
	}
	end := sha256.Sum256(state.PeerCertificates[0].Raw) // RFC 5929 §4.1
	return map[string]string{"tls-exporter": string(exporter), "tls-server-end-point": string(end[:])}
}

// RFC 5802 §6, RFC 9266: what binds to this TLS connection logs in, on TLS 1.2, TLS 1.3 and a resumed session;
// what was bound to another connection, as by a man in the middle, and a 'y' do not.
func TestChannelBindings(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	for name, version := range map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13} {
		cache := tls.NewLRUClientSessionCache(8)
		connect := func() (*client, map[string]string, bool) {
			c := p.dial()
			c.features("home.test")
			c.Send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
			c.Until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
			state := c.TLS(&tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version, ServerName: "home.test", ClientSessionCache: cache})
			c.features("home.test")
			return c, bindings(t, state), state.DidResume
		}
		_, other, _ := connect()
		resumed := false
		for typ := range other {
			c, own, again := connect()
			resumed = resumed || again
			if typ == "tls-exporter" {
				c.Send(c.scramProof("romeo", "SCRAM-SHA-256-PLUS", "p="+typ+",,", other[typ]))
				c.Until(failure("not-authorized"))
			}
			c.Send(auth("SCRAM-SHA-256-PLUS", b64("p=tls-unique,,n=romeo,r=abcdefghijklmnop")))
			c.Until(failure("not-authorized"))
			c.Send(auth("SCRAM-SHA-256", b64("y,,n=romeo,r=abcdefghijklmnop")))
			c.Until(failure("not-authorized"))
			c.Send(c.scramProof("romeo", "SCRAM-SHA-256-PLUS", "p="+typ+",,", own[typ]))
			if got := c.Until(">"); !strings.HasPrefix(got, "<success") {
				t.Errorf("%s, %s: %s", name, typ, got)
			}
		}
		if !resumed {
			t.Errorf("%s: no session was resumed", name)
		}
	}
}
