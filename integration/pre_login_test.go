package integration_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// header is a stream header as clients send it.
const header = `<?xml version='1.0'?><stream:stream to='` + testHost + `' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`

// preLoginInputs are inputs of a client that has not logged in, and the stream error or the child of the first
// element with which the server must answer (RFC 6120 §4.9, §5, §6).
// More than one is given where the specification or Prosody allows it.
var preLoginInputs = []struct {
	name, text string
	answers    []string
	lenient    bool // Prosody puts up with it, or answers it as a stanza
}{
	{"another namespace of streams", strings.Replace(header, "etherx.jabber.org/streams", "etherx.jabber.org/steams", 1), []string{"invalid-namespace"}, false},
	{"another namespace of content", strings.Replace(header, "jabber:client", "jabber:server", 1), []string{"invalid-namespace"}, true},
	{"no stream", `<html><body/></html>`, []string{"invalid-namespace", "bad-format", "not-well-formed"}, false},
	{"no XML", "GET / HTTP/1.1\r\nHost: " + testHost + "\r\n\r\n", []string{"not-well-formed"}, false},
	{"a domain that is not served", strings.Replace(header, testHost, "elsewhere.example", 1), []string{"host-unknown"}, false},
	{"a message before login", header + `<message to='alice@` + testHost + `'><body>x</body></message>`, []string{"not-authorized", "policy-violation"}, true},
	{"a question before login", header + `<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>`, []string{"not-authorized", "policy-violation"}, true},
	{"broken XML", header + `<a></b>`, []string{"not-well-formed"}, false},
	{"a document type", `<!DOCTYPE x [<!ENTITY a "b">]>` + header, []string{"restricted-xml", "not-well-formed"}, false},
	{"a bomb of entities", `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>` + header + `<auth>&b;</auth>`, []string{"restricted-xml", "not-well-formed"}, false},
	{"a comment", header + `<!-- c --><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`, []string{"restricted-xml", "not-well-formed"}, false},
	{"a processing instruction", header + `<?x y?>`, []string{"restricted-xml", "not-well-formed"}, false},
	{"a NUL", header + "\x00", []string{"not-well-formed"}, false},
	{"bytes that are no UTF-8", header + "<a>\xff\xfe</a>", []string{"not-well-formed", "unsupported-encoding", "bad-format"}, false},
	{"login without TLS", header + `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFsaWNlAHg=</auth>`, []string{"encryption-required", "invalid-mechanism", "not-authorized"}, false},
	{"very much before login", header + `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='` + strings.Repeat("x", 1<<20), []string{"policy-violation"}, false},
}

func TestPreLoginInputsOnProsody(t *testing.T) {
	t.Parallel()
	peers.Need(t, "prosody")
	testPreLoginInputs(t, &peers.StartProsody(t, peers.Setup{Host: testHost}).Server, false)
}

func TestPreLoginInputs(t *testing.T) {
	t.Parallel()
	testPreLoginInputs(t, &peers.StartDragoman(t, peers.Options{Setup: peers.Setup{Host: testHost}}).Server, true)
}

func testPreLoginInputs(t *testing.T, server *peers.Server, strict bool) {
	for _, o := range preLoginInputs {
		if o.lenient && !strict {
			continue // RFC 6120 asks for more than this server does
		}
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			got, err := sendPreLogin(t.Context(), server.ClientAddr, o.text)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(o.answers, got) {
				t.Errorf("answered with %q, want one of %v", got, o.answers)
			}
		})
	}
}

// sendPreLogin sends text and returns the condition that comes back.
func sendPreLogin(ctx context.Context, addr, text string) (string, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(peerTimeout)); err != nil {
		return "", err
	}
	wrote := make(chan struct{})
	go func() { // the server may close before it has read all
		defer close(wrote)
		_, _ = io.WriteString(conn, text)
	}()
	defer func() { _ = conn.Close(); <-wrote }()

	d := xmltree.NewDecoder(conn)
	if _, err := d.Header(); err != nil { // RFC 6120 §4.9.1.2: always sent, also before an error
		return "", err
	}
	for {
		e, err := d.Element()
		switch {
		case err != nil:
			return "", err
		case e.Name.Local == "features":
			continue
		case e.Name.Local != "error" && e.Name.Local != "failure":
			return "", errors.New("answered with " + e.String())
		}
		for _, c := range e.Children {
			if c.Name.Local != "text" {
				return c.Name.Local, nil
			}
		}
		return "", errors.New("no condition in " + e.String())
	}
}
