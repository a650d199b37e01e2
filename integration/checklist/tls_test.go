package checklist

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/xmltree"
)

func TestStartTLSOffer(t *testing.T) { // checklist 20
	h := sharedServer(t)
	w := h.dial(t)
	f := w.open()
	if f.Child(nsTLS, "starttls") == nil || f.Find("starttls", "required") == nil {
		t.Errorf("not offered as required: %s", f)
	}
	for _, c := range f.Children {
		if c.Name.Space == nsSASL || c.Name.Space == nsBind || c.Name.Space == "http://jabber.org/features/iq-register" {
			t.Errorf("offered before TLS: %s", c)
		}
	}
	w.secure(h)
	if f = w.open(); f.Child(nsTLS, "starttls") != nil {
		t.Errorf("offered within TLS: %s", f)
	}
	if f = w.login(newAccount(t)); f.Child(nsTLS, "starttls") != nil {
		t.Errorf("offered after login: %s", f)
	}
}

func TestStartTLSInjection(t *testing.T) { // checklist 21
	h := sharedServer(t)
	user := newAccount(t)
	w := h.dial(t)
	w.open()
	// All of it in one segment; the server must not have seen anything behind starttls.
	w.send(startTLS + w.defaultHead() + plain(user, password) + "<injected xmlns='urn:x'/>")
	if e := w.element(); e.Name.Local != "proceed" {
		t.Fatal(e)
	}
	config := h.TLS.Clone()
	config.ServerName = servedHost
	secure := tls.Client(w.conn, config)
	secure.SetDeadline(time.Now().Add(timeout))
	if err := secure.Handshake(); err != nil {
		t.Fatalf("what was sent in clear counts: %v", err)
	}
	w.use(secure)
	w.host = secondHost // so that an answer to the header that was sent in clear shows
	w.send(w.defaultHead())
	if from := w.header().Attr("from"); from != secondHost {
		t.Errorf("what was sent in clear counts: the header is from %s", from)
	}
	if f := w.features(); f.Child(nsSASL, "mechanisms") == nil {
		t.Errorf("what was sent in clear counts: %s", f)
	}
	w.send(plain("sam", "wrong"))
	if got := failure(t, w.element()); got != "not-authorized" {
		t.Errorf("what was sent in clear counts: %s", got)
	}
}

func TestNewStreamAfterTLS(t *testing.T) { // checklist 22
	h := sharedServer(t)
	w := h.dial(t)
	w.send(head("from='spy@" + servedHost + "' to='" + servedHost + "' xml:lang='de' version='1.0'"))
	before := w.header()
	w.features()
	w.secure(h)
	w.host = secondHost // another host: nothing of before counts
	w.send(w.defaultHead())
	after := w.header()
	if after.Attr("id") == before.Attr("id") || after.Attr("from") != secondHost || after.Attr("to") != "" {
		t.Errorf("after TLS: %s", after)
	}
	w.features()
	w.send(plain("sam", password))
	if e := w.element(); e.Name.Local != "success" {
		t.Fatal(e)
	}
	w.open()
	w.bind("")
	w.send("<message to='" + w.jid + "' id='m'><body>x</body></message>")
	if e := w.element(); strings.Contains(e.String(), `lang="de"`) {
		t.Errorf("the language of before: %s", e)
	}
}

func TestStartTLSFails(t *testing.T) { // checklist 23
	h := sharedServer(t)
	// Twice: within TLS there is none.
	w, _ := h.secured(t)
	w.send(startTLS)
	if e := w.element(); e.Name.Space != nsTLS || e.Name.Local != "failure" {
		t.Errorf("failure expected, got %s", e)
	}
	w.ends()
	// A handshake that is none: not a byte of XML may come back.
	for _, garbage := range []string{"this is no handshake\n\n\n", theEnd, "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"} {
		w := h.dial(t)
		w.open()
		w.send(startTLS)
		w.element()
		w.push(garbage)
		w.conn.SetReadDeadline(time.Now().Add(timeout))
		if rest, _ := io.ReadAll(w.buf); strings.Contains(string(rest), "<") {
			t.Errorf("after %q: %q", garbage, rest)
		}
	}
}

func TestTLSVersions(t *testing.T) { // checklist 24
	h := sharedServer(t)
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13} {
		w := h.dial(t)
		w.open()
		w.send(startTLS)
		w.element()
		config := h.TLS.Clone()
		config.ServerName, config.MinVersion, config.MaxVersion = servedHost, version, version
		secure := tls.Client(w.conn, config)
		secure.SetDeadline(time.Now().Add(timeout))
		err := secure.Handshake()
		if old := version < tls.VersionTLS12; (err != nil) != old {
			t.Errorf("TLS %x: %v", version, err)
		}
		if err != nil {
			continue
		}
		state := secure.ConnectionState()
		if err := state.PeerCertificates[0].VerifyHostname(servedHost); err != nil {
			t.Error(err)
		}
		for _, suite := range tls.InsecureCipherSuites() {
			if state.CipherSuite == suite.ID {
				t.Errorf("cipher suite %s", suite.Name)
			}
		}
	}
	// A second ClientHello on a connection that is up: TLS 1.2 calls that renegotiation.
	// Go's client cannot ask for it, so the record is written below it.
	under := &recording{}
	w := h.dial(t)
	w.open()
	w.send(startTLS)
	w.element()
	under.Conn = w.conn
	config := h.TLS.Clone()
	config.ServerName, config.MaxVersion = servedHost, tls.VersionTLS12
	secure := tls.Client(under, config)
	secure.SetDeadline(time.Now().Add(timeout))
	if err := secure.Handshake(); err != nil {
		t.Fatal(err)
	}
	if _, err := under.Conn.Write(under.first); err != nil {
		t.Fatal(err)
	}
	if rest, _ := io.ReadAll(secure); len(rest) > 0 {
		t.Errorf("after a second ClientHello: %q", rest)
	}
}

func TestDirectTLS(t *testing.T) { // checklist 25
	h := sharedServer(t)
	connect := func(name string, protocols ...string) (*rawClient, *tls.Conn, error) {
		w := h.dialAddr(t, h.direct)
		config := h.TLS.Clone()
		config.ServerName, config.NextProtos = name, protocols
		secure := tls.Client(w.conn, config)
		secure.SetDeadline(time.Now().Add(timeout))
		err := secure.Handshake()
		return w, secure, err
	}
	for _, name := range []string{servedHost, secondHost, "xn--bcher-kva.example"} {
		w, secure, err := connect(name, "xmpp-client")
		if err != nil {
			t.Fatal(err)
		}
		if state := secure.ConnectionState(); state.NegotiatedProtocol != "xmpp-client" || state.PeerCertificates[0].VerifyHostname(name) != nil {
			t.Errorf("%s: protocol %q, certificate for %v", name, state.NegotiatedProtocol, state.PeerCertificates[0].DNSNames)
		}
		w.use(secure)
		w.host = name
		f := w.open()
		if f.Child(nsTLS, "starttls") != nil || f.Child(nsSASL, "mechanisms") == nil {
			t.Errorf("features: %s", f)
		}
		if name == servedHost {
			w.login(newAccount(t))
			w.bind("")
			w.nothing()
		}
	}
	if _, _, err := connect(servedHost); err != nil {
		t.Errorf("without a protocol: %v", err) // XEP-0368 §3
	}
	if _, _, err := connect(servedHost, "xmpp-server"); err == nil {
		t.Error("xmpp-server is taken for a client")
	}
	// In clear there is nothing on this port.
	w := h.dialAddr(t, h.direct)
	w.push(w.defaultHead())
	w.conn.SetReadDeadline(time.Now().Add(timeout))
	if _, err := xmltree.NewDecoder(w.buf).Header(); err == nil {
		t.Error("answered in clear")
	}
}

// recording keeps the first thing that is written: the ClientHello.
type recording struct {
	net.Conn
	first []byte
}

func (r *recording) Write(b []byte) (int, error) {
	if r.first == nil {
		r.first = append(r.first, b...)
	}
	return r.Conn.Write(b)
}
