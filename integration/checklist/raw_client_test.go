package checklist

import (
	"bufio"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// Namespaces.
const (
	nsStream    = "http://etherx.jabber.org/streams"
	nsStreams   = "urn:ietf:params:xml:ns:xmpp-streams"
	nsStanzas   = "urn:ietf:params:xml:ns:xmpp-stanzas"
	nsClient    = "jabber:client"
	nsComponent = "jabber:component:accept"
	nsTLS       = "urn:ietf:params:xml:ns:xmpp-tls"
	nsSASL      = "urn:ietf:params:xml:ns:xmpp-sasl"
	nsBind      = "urn:ietf:params:xml:ns:xmpp-bind"
	nsRoster    = "jabber:iq:roster"
)

const (
	startTLS = "<starttls xmlns='" + nsTLS + "'/>"
	bindAny  = "<iq type='set' id='bind'><bind xmlns='" + nsBind + "'/></iq>"
	theEnd   = "</stream:stream>"
)

// rawClient is one connection, on which a test writes bytes and reads elements.
type rawClient struct {
	t    *testing.T
	host string
	conn net.Conn
	buf  *bufio.Reader
	dec  *xmltree.Decoder
	jid  string // after binding, or the domain of a component
	n    int    // for ids
}

// dial connects and sends nothing.
func (h *testServer) dial(t *testing.T) *rawClient {
	t.Helper()
	return h.dialAddr(t, h.ClientAddr)
}

func (h *testServer) dialAddr(t *testing.T, addr string) *rawClient {
	t.Helper()
	// Each connection comes from an address of its own, so that one test's wrong passwords
	// do not slow down the others.
	n := nextAddress.Add(1)
	return h.dialFrom(t, addr, net.IPv4(127, 1, byte(n>>8), byte(n)))
}

var nextAddress atomic.Uint32

func (h *testServer) dialFrom(t *testing.T, addr string, from net.IP) *rawClient {
	t.Helper()
	dialer := net.Dialer{Timeout: timeout, LocalAddr: &net.TCPAddr{IP: from}}
	conn, err := dialer.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	w := &rawClient{t: t, host: servedHost}
	w.use(conn)
	t.Cleanup(func() { _ = conn.Close() })
	return w
}

// use continues over conn.
func (w *rawClient) use(conn net.Conn) {
	w.conn = conn
	w.buf = bufio.NewReader(conn)
	w.again()
}

// again expects a new stream header.
func (w *rawClient) again() { w.dec = xmltree.NewDecoder(w.buf) }

// send writes text as it is.
func (w *rawClient) send(text string) {
	w.t.Helper()
	_ = w.conn.SetWriteDeadline(time.Now().Add(timeout))
	if _, err := io.WriteString(w.conn, text); err != nil {
		w.t.Fatalf("send %.200q: %v", text, err)
	}
}

// push writes text where the server may close before it has read all.
func (w *rawClient) push(text string) {
	_ = w.conn.SetWriteDeadline(time.Now().Add(timeout))
	_, _ = io.WriteString(w.conn, text)
}

// head is a stream header with attributes of the test's choice.
func head(attrs string) string {
	return "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='" + nsStream + "' " + attrs + ">"
}

func (w *rawClient) defaultHead() string { return head("to='" + w.host + "' version='1.0'") }

// header reads the server's stream header.
func (w *rawClient) header() *xmltree.Element {
	w.t.Helper()
	_ = w.conn.SetReadDeadline(time.Now().Add(timeout))
	e, err := w.dec.Header()
	if err != nil {
		w.t.Fatal(err)
	}
	if e.Name.Space != nsStream || e.Name.Local != "stream" || e.Attr("id") == "" {
		w.t.Fatalf("stream header expected, got %s", e)
	}
	return e
}

// next reads one element, or says why there is none.
func (w *rawClient) next() (*xmltree.Element, error) {
	_ = w.conn.SetReadDeadline(time.Now().Add(timeout))
	return w.dec.Element()
}

// element reads one element.
func (w *rawClient) element() *xmltree.Element {
	w.t.Helper()
	e, err := w.next()
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// open begins a stream and returns the features.
func (w *rawClient) open() *xmltree.Element {
	w.t.Helper()
	w.again()
	w.send(w.defaultHead())
	w.header()
	return w.features()
}

func (w *rawClient) features() *xmltree.Element {
	w.t.Helper()
	e := w.element()
	if e.Name.Space != nsStream || e.Name.Local != "features" {
		w.t.Fatalf("features expected, got %s", e)
	}
	return e
}

// secure does STARTTLS on an open stream.
func (w *rawClient) secure(h *testServer) {
	w.t.Helper()
	w.send(startTLS)
	if e := w.element(); e.Name.Space != nsTLS || e.Name.Local != "proceed" {
		w.t.Fatalf("proceed expected, got %s", e)
	}
	if w.buf.Buffered() > 0 {
		w.t.Fatal("bytes behind proceed")
	}
	w.handshake(h, &tls.Config{})
}

// handshake puts TLS over the connection.
func (w *rawClient) handshake(h *testServer, config *tls.Config) {
	w.t.Helper()
	config.RootCAs = h.TLS.RootCAs
	if config.ServerName == "" {
		config.ServerName = w.host
	}
	secure := tls.Client(w.conn, config)
	_ = w.conn.SetDeadline(time.Now().Add(timeout))
	if err := secure.Handshake(); err != nil {
		w.t.Fatal(err)
	}
	w.use(secure)
}

// secured is a connection with TLS and an open stream.
func (h *testServer) secured(t *testing.T) (*rawClient, *xmltree.Element) {
	t.Helper()
	w := h.dial(t)
	w.open()
	w.secure(h)
	return w, w.open()
}

func decodeBase64(text string) ([]byte, error) { return base64.StdEncoding.DecodeString(text) }

func encode(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func auth(mechanism, initial string) string {
	return "<auth xmlns='" + nsSASL + "' mechanism='" + mechanism + "'>" + initial + "</auth>"
}

func plain(user, pw string) string { return auth("PLAIN", encode("\x00"+user+"\x00"+pw)) }

// login logs in with PLAIN and begins the new stream, whose features it returns.
func (w *rawClient) login(user string) *xmltree.Element {
	w.t.Helper()
	w.send(plain(user, password))
	if e := w.element(); e.Name.Space != nsSASL || e.Name.Local != "success" {
		w.t.Fatalf("log in %s: %s", user, e)
	}
	return w.open()
}

// loggedIn is a connection that has logged in and is not bound.
func (h *testServer) loggedIn(t *testing.T, user string) (*rawClient, *xmltree.Element) {
	t.Helper()
	w, _ := h.secured(t)
	return w, w.login(user)
}

// bind asks for a resource; "" leaves it to the server. It returns the answer.
func (w *rawClient) bind(resource string) *xmltree.Element {
	w.t.Helper()
	wish := ""
	if resource != "" {
		wish = "<resource>" + resource + "</resource>"
	}
	w.send("<iq type='set' id='bind'><bind xmlns='" + nsBind + "'>" + wish + "</bind></iq>")
	e := w.element()
	if j := e.Find("bind", "jid"); j != nil && e.Attr("type") == "result" {
		w.jid = j.Text
	}
	return e
}

// session is a bound session of an account; resource "" leaves it to the server.
func (h *testServer) session(t *testing.T, user, resource string) *rawClient {
	t.Helper()
	w, _ := h.loggedIn(t, user)
	if e := w.bind(resource); w.jid == "" {
		t.Fatalf("bind: %s", e)
	}
	return w
}

// available is a session that has sent initial presence and has seen it come back.
func (h *testServer) available(t *testing.T, user, resource string) *rawClient {
	t.Helper()
	w := h.session(t, user, resource)
	w.send("<presence/>")
	w.settle()
	return w
}

// component attaches as a domain.
func (h *testServer) component(t *testing.T, domain string) *rawClient {
	t.Helper()
	w := h.dialAddr(t, h.ComponentAddr)
	w.host = domain
	id := w.componentHeader(domain)
	w.send(handshake(id, "between us"))
	if e := w.element(); e.Name.Local != "handshake" {
		t.Fatalf("attach %s: %s", domain, e)
	}
	w.jid = domain
	return w
}

func (w *rawClient) componentHeader(domain string) (id string) {
	w.t.Helper()
	w.send("<stream:stream xmlns='" + nsComponent + "' xmlns:stream='" + nsStream + "' to='" + domain + "'>")
	return w.header().Attr("id")
}

func handshake(id, secret string) string {
	sum := sha1.Sum([]byte(id + secret)) // XEP-0114 §3
	return "<handshake>" + hex.EncodeToString(sum[:]) + "</handshake>"
}

// bare is the session's account.
func (w *rawClient) bare() string {
	b, _, _ := strings.Cut(w.jid, "/")
	return b
}

func (w *rawClient) id() string {
	w.n++
	return fmt.Sprintf("ask-%d", w.n)
}

// settle waits until the server has dealt with all that this session has sent, and
// returns what has come meanwhile.
func (w *rawClient) settle() []*xmltree.Element {
	w.t.Helper()
	id := w.id()
	w.send("<iq type='get' id='" + id + "' to='" + w.host + "'><ping xmlns='urn:xmpp:ping'/></iq>")
	var seen []*xmltree.Element
	for {
		e := w.element()
		if e.Name.Local == "iq" && e.Attr("id") == id && e.Attr("type") != "set" {
			return seen
		}
		seen = append(seen, e)
	}
}

// ask sends an IQ with an id of its own and returns the answer; what comes before it is
// dropped.
func (w *rawClient) ask(typ, to, payload string) *xmltree.Element {
	w.t.Helper()
	id := w.id()
	if to != "" {
		to = " to='" + to + "'"
	}
	w.send("<iq type='" + typ + "' id='" + id + "'" + to + ">" + payload + "</iq>")
	for {
		e := w.element()
		if e.Name.Local == "iq" && e.Attr("id") == id && (e.Attr("type") == "result" || e.Attr("type") == "error") {
			return e
		}
	}
}

// nothing fails if something has come.
func (w *rawClient) nothing() {
	w.t.Helper()
	for _, e := range w.settle() {
		w.t.Errorf("not expected: %s", e)
	}
}

// quiet settles all clients and drops what they have received.
func quiet(clients ...*rawClient) {
	for range 2 {
		for _, w := range clients {
			w.t.Helper()
			w.settle()
		}
	}
}

// condition is that of a stanza error, "" where e is none.
func condition(e *xmltree.Element) string {
	fault := e.Child("", "error")
	if e.Attr("type") != "error" || fault == nil {
		return ""
	}
	for _, c := range fault.Children {
		if c.Name.Space == nsStanzas && c.Name.Local != "text" {
			return c.Name.Local
		}
	}
	return "none"
}

// show is a stanza in short, for comparisons: its name, type, sender, receiver and what
// is in it.
func show(e *xmltree.Element) string {
	var b strings.Builder
	b.WriteString(e.Name.Local)
	for _, name := range []string{"type", "from", "to", "id"} {
		if v, ok := e.Attrs[xml.Name{Local: name}]; ok {
			b.WriteString(" " + name + "=" + v)
		}
	}
	if c := condition(e); c != "" {
		return b.String() + " " + c
	}
	for _, c := range e.Children {
		b.WriteString(" " + c.Name.Local)
		if c.Text != "" {
			b.WriteString("=" + c.Text)
		}
	}
	return b.String()
}

// only picks the stanzas of a kind.
func only(list []*xmltree.Element, kind string) []*xmltree.Element {
	return slices.DeleteFunc(slices.Clone(list), func(e *xmltree.Element) bool { return e.Name.Local != kind })
}

// bodies are the texts of the messages in a list that are no errors.
func bodies(list []*xmltree.Element) []string {
	var texts []string
	for _, e := range only(list, "message") {
		if e.Attr("type") != "error" {
			texts = append(texts, e.ChildText("body"))
		}
	}
	return texts
}

// match compares one element with what is wanted of it, in the marks of package xmltree.
func match(t *testing.T, e *xmltree.Element, want string) {
	t.Helper()
	row, err := xmltree.ParseFragment(want)
	if err != nil || len(row) != 1 {
		t.Fatalf("%s: %v", want, err)
	}
	if err := xmltree.Match(row[0], unmarked(e), xmltree.Bindings{}); err != nil {
		t.Errorf("%v\ngot %s", err, e)
	}
}

// unmarked is e without the archive's id, which is another matter.
func unmarked(e *xmltree.Element) *xmltree.Element {
	clean := *e
	clean.Children = slices.DeleteFunc(slices.Clone(e.Children), func(c *xmltree.Element) bool { return c.Name.Space == "urn:xmpp:sid:0" })
	return &clean
}

// streamError reads up to the stream error and shows that it has the right form, and that
// nothing but the end comes behind it.
func (w *rawClient) streamError() (condition string, fault *xmltree.Element) {
	w.t.Helper()
	for {
		e := w.element()
		if e.Name.Space != nsStream || e.Name.Local != "error" {
			continue
		}
		for _, c := range e.Children {
			switch {
			case c.Name.Space != nsStreams:
			case c.Name.Local == "text":
				if c.Text == "" || c.Attrs[xml.Name{Space: xmltree.XMLSpace, Local: "lang"}] == "" {
					w.t.Errorf("text without a language: %s", e)
				}
			case condition != "":
				w.t.Errorf("two conditions: %s", e)
			default:
				condition = c.Name.Local
			}
		}
		w.ends()
		return condition, e
	}
}

// ends reads the end tag and the end of the connection.
func (w *rawClient) ends() {
	w.t.Helper()
	if e, err := w.next(); !errors.Is(err, xmltree.ErrClosed) {
		w.t.Errorf("the end of the stream expected, got %v, %v", e, err)
		return
	}
	w.gone()
}

// gone reads the end of the connection: with TLS, a proper one.
func (w *rawClient) gone() {
	w.t.Helper()
	_ = w.conn.SetReadDeadline(time.Now().Add(timeout))
	rest, err := io.ReadAll(w.buf)
	if err != nil || len(rest) > 0 {
		w.t.Errorf("after the end of the stream: %q, %v", rest, err)
	}
}

// wantError is streamError with what it has to be.
func (w *rawClient) wantError(want ...string) {
	w.t.Helper()
	if got, _ := w.streamError(); !slices.Contains(want, got) {
		w.t.Errorf("stream error %s, want one of %v", got, want)
	}
}
