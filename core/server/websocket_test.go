package server

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
)

const (
	framingOpen  = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='home.test' version='1.0'/>"
	framingClose = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"
)

// webClient is a client over WebSocket.
type webClient struct {
	t    testing.TB
	conn *websocket.Conn
}

func (p *testServer) webAddress() string {
	return "ws://" + p.server.ports.http[0].Addr().String() + "/ws"
}

func (p *testServer) dialWeb() *webClient {
	p.t.Helper()
	return p.dialWebAt(p.webAddress())
}

func (p *testServer) dialWebAt(address string) *webClient {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	transport := &nethttp.Transport{TLSClientConfig: anyTLS.Clone()}
	conn, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{Subprotocols: []string{"xmpp"}, HTTPClient: &nethttp.Client{Transport: transport}}) //nolint:bodyclose // of an upgrade
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = conn.CloseNow() })
	conn.SetReadLimit(1 << 20)
	return &webClient{p.t, conn}
}

func (c *webClient) send(frames ...string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, f := range frames {
		if err := c.conn.Write(ctx, websocket.MessageText, []byte(f)); err != nil {
			c.t.Logf("write: %v", err) // what came before shows whether that is right
		}
	}
}

// next returns the next message, which must be there, as text.
func (c *webClient) next() string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	kind, b, err := c.conn.Read(ctx)
	if err != nil || kind != websocket.MessageText {
		c.t.Fatalf("%v: %v", kind, err)
	}
	return string(b)
}

// until returns the first message that contains mark.
func (c *webClient) until(mark string) string {
	c.t.Helper()
	for {
		if got := c.next(); strings.Contains(got, mark) {
			return got
		}
	}
}

// closed reads to the end and returns the messages before it and the code of the close frame.
func (c *webClient) closed() (messages []string, code websocket.StatusCode) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		_, b, err := c.conn.Read(ctx)
		if err != nil {
			return messages, websocket.CloseStatus(err)
		}
		messages = append(messages, string(b))
	}
}

// loginFramed logs in and binds a session over WebSocket or BOSH.
func loginFramed(send func(string), until func(mark string) string, name, resource string) {
	send(framingOpen)
	until("</stream:features>")
	send(auth("PLAIN", "\x00"+name+"\x00"+name))
	until("<success")
	send(framingOpen)
	until("</stream:features>")
	send("<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>" + resource + "</resource></bind></iq>")
	until("<jid>" + name + "@home.test/" + resource + "</jid>")
}

// login logs in and binds a session, with stream management if that is what after asks for.
func (c *webClient) login(name, resource string, after ...string) {
	c.t.Helper()
	loginFramed(func(frame string) { c.send(frame) }, c.until, name, resource)
	c.send(after...)
}

// RFC 7395: the handshake, one element in each message with all its namespaces, no STARTTLS, a restart without close, the end from
// both sides.
func TestWebSocket(t *testing.T) { // checklist 114
	t.Parallel()
	p := newTestServer(t, extra{})
	c := p.dialWeb()
	if c.conn.Subprotocol() != "xmpp" {
		t.Errorf("subprotocol %q", c.conn.Subprotocol())
	}
	c.send(framingOpen)
	if got := c.next(); !strings.HasPrefix(got, "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='home.test' id='") || !strings.HasSuffix(got, "/>") {
		t.Errorf("opened with %s", got)
	}
	if got := c.next(); !strings.HasPrefix(got, "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>") || strings.Contains(got, "starttls") || !strings.Contains(got, ">PLAIN<") {
		t.Errorf("features %s", got)
	}
	c.send(auth("PLAIN", "\x00romeo\x00romeo"))
	c.until("<success")
	c.send(framingOpen)
	c.until("<bind ")
	c.send("<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>web</resource></bind></iq>")
	c.until("<jid>romeo@home.test/web</jid>")
	other := p.dialWeb()
	other.login("juliet", "web")

	var batch []string
	for i := range 20 {
		batch = append(batch, fmt.Sprintf("<message xmlns='jabber:client' to='juliet@home.test/web' id='m%d'><body>%d</body></message>", i, i))
	}
	c.send(batch...)
	for i := range 20 {
		got := other.next()
		if !strings.HasPrefix(got, "<message xmlns='jabber:client' ") || !strings.HasSuffix(got, "</message>") || !strings.Contains(got, fmt.Sprintf("<body>%d</body>", i)) {
			t.Fatalf("message %d is %s", i, got)
		}
	}
	c.send(framingClose)
	if messages, code := c.closed(); len(messages) != 1 || messages[0] != framingClose || code != websocket.StatusNormalClosure {
		t.Errorf("closed with %q, %v", messages, code)
	}
	p.server.hosts[0].Remove(jid.MustParse("juliet@home.test"), "", "")
	other.until(framingClose)
	other.send(framingClose)
	if messages, code := other.closed(); len(messages) != 0 || code != websocket.StatusNormalClosure {
		t.Errorf("closed with %q, %v", messages, code)
	}
}

// Over TLS, where writes may block, messages come in order and the end is clean.
func TestWebSocketTLS(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	a, b := p.dialWebAt("wss://"+p.server.ports.httpTLS[0].Addr().String()+"/ws"), p.dialWebAt("wss://"+p.server.ports.httpTLS[0].Addr().String()+"/ws")
	a.login("romeo", "tls")
	b.login("juliet", "tls")
	body := strings.Repeat("x", 2000)
	go func() {
		for i := range 100 {
			a.send(fmt.Sprintf("<message xmlns='jabber:client' to='juliet@home.test/tls' id='m%d'><body>%s</body></message>", i, body))
		}
	}()
	for i := range 100 {
		if got := b.next(); !strings.Contains(got, fmt.Sprintf(" id='m%d'", i)) || !strings.HasSuffix(got, "</message>") {
			t.Fatalf("message %d is %.100s", i, got)
		}
	}
	b.send(framingClose)
	if messages, code := b.closed(); len(messages) != 1 || messages[0] != framingClose || code != websocket.StatusNormalClosure {
		t.Errorf("closed with %q, %v", messages, code)
	}
}

// What a client may not send ends the stream with the error that the specification names, and the WebSocket cleanly.
func TestWebSocketStreamErrors(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{limits: "sessions = 100"})
	message := func(size int) string {
		return "<message xmlns='jabber:client' to='juliet@home.test'><body>" + strings.Repeat("x", size) + "</body></message>"
	}
	var sessions atomic.Int32
	for name, c := range map[string]struct {
		login  bool
		frames []string
		want   string
	}{
		"no open":                         {false, []string{message(1)}, "<bad-format "},
		"open of TCP":                     {false, []string{"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='home.test' version='1.0'>"}, "<not-well-formed "},
		"open in another namespace":       {false, []string{"<open xmlns='jabber:client' to='home.test' version='1.0'/>"}, "<invalid-namespace "},
		"unknown host":                    {false, []string{strings.Replace(framingOpen, "home.test", "other.test", 1)}, "<host-unknown "},
		"two elements":                    {true, []string{message(1) + message(1)}, "<not-well-formed "},
		"part of an element":              {true, []string{"<message xmlns='jabber:client'>"}, "<not-well-formed "},
		"white space":                     {true, []string{" "}, "<not-well-formed "},
		"white space first":               {true, []string{" " + message(1)}, "<not-well-formed "},
		"nothing":                         {true, []string{""}, "<not-well-formed "},
		"no namespace":                    {true, []string{"<message to='juliet@home.test'><body>x</body></message>"}, "<unsupported-stanza-type "},
		"CVE-2022-0217 document type":     {true, []string{"<!DOCTYPE a [<!ENTITY b 'c'>]>" + message(1)}, "<restricted-xml "},
		"comment":                         {true, []string{"<!-- a -->" + message(1)}, "<restricted-xml "},
		"not UTF-8":                       {true, []string{strings.Replace(message(1), "x", "\xff", 1)}, "<unsupported-encoding "},
		"too long before the login":       {false, []string{framingOpen, message(20_000)}, "<policy-violation "},
		"too long":                        {true, []string{message(300_000)}, "<policy-violation "},
		"starttls":                        {false, []string{framingOpen, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"}, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'"},
		"CVE-2018-10847 another host":     {true, []string{strings.Replace(framingOpen, "home.test", "other.test", 1)}, "<bad-format "},
		"CVE-2026-43507 before the login": {false, []string{framingOpen, "<a xmlns='b'>" + strings.Repeat("<a/>", 2000) + "</a>"}, "<policy-violation "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := p.dialWeb()
			w.t = t
			if c.login {
				w.login("romeo", fmt.Sprintf("r%d", sessions.Add(1)))
			}
			w.send(c.frames...)
			messages, code := w.closed()
			all := strings.Join(messages, "\n")
			if !strings.Contains(all, c.want) || !strings.HasSuffix(all, framingClose) || code != websocket.StatusNormalClosure {
				t.Errorf("closed with %s, %v", all, code)
			}
		})
	}
}

// rawWeb is a WebSocket by hand after its handshake.
func (p *testServer) rawWeb(t testing.TB, header string) (net.Conn, *bufio.Reader, *nethttp.Response) {
	t.Helper()
	nc, err := net.Dial("tcp", p.server.ports.http[0].Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(nc, "GET /ws HTTP/1.1\r\nHost: home.test\r\n"+header+"\r\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(nc)
	answer, err := nethttp.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return nc, r, answer
}

const goodHandshake = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat, xmpp\r\n"

// RFC 6455 §4.2, RFC 7395 §3.1.
func TestWebSocketHandshake(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	_, _, answer := p.rawWeb(t, goodHandshake)
	if answer.StatusCode != 101 || answer.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" || answer.Header.Get("Sec-WebSocket-Protocol") != "xmpp" {
		t.Errorf("answered %v", answer)
	}
	for name, c := range map[string]struct {
		header string
		status int
	}{
		"no upgrade":        {"", 426},
		"other upgrade":     {strings.Replace(goodHandshake, "Upgrade: websocket", "Upgrade: h2c", 1), 426},
		"old version":       {strings.Replace(goodHandshake, "13", "8", 1), 400},
		"no key":            {strings.Replace(goodHandshake, "-Key", "-Lock", 1), 400},
		"short key":         {strings.Replace(goodHandshake, "dGhlIHNhbXBsZSBub25jZQ==", "dGhl", 1), 400},
		"two keys":          {goodHandshake + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 400},
		"no subprotocol":    {strings.Replace(goodHandshake, "chat, xmpp", "chat", 1), 400},
		"body":              {goodHandshake + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", 400},
		"TLS ended earlier": {goodHandshake + "X-Forwarded-Proto: http\r\n", 403},
	} {
		if _, _, answer := p.rawWeb(t, c.header); answer.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", name, answer.StatusCode, c.status)
		}
	}
}

// frame is a client's frame.
func frame(first byte, payload string) string {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n <= 0xFFFF:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	mask := [4]byte{1, 2, 3, 4}
	b = append(b, mask[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i&3])
	}
	return string(b)
}

// readFrame reads a server's frame.
func readFrame(r *bufio.Reader) (first byte, payload string, err error) {
	var h [2]byte
	if _, err = io.ReadFull(r, h[:]); err != nil {
		return 0, "", err
	}
	n := int(h[1])
	if n == 126 {
		var long [2]byte
		if _, err = io.ReadFull(r, long[:]); err != nil {
			return 0, "", err
		}
		n = int(binary.BigEndian.Uint16(long[:]))
	}
	b := make([]byte, n)
	_, err = io.ReadFull(r, b)
	return h[0], string(b), err
}

// RFC 6455 §5: what breaks the framing ends the WebSocket with the code for it, fragments are put together, pings are answered between
// them, and what comes byte by byte is understood.
func TestWebSocketFrames(t *testing.T) { // checklist 114
	t.Parallel()
	p := newTestServer(t, extra{})
	start := func() (net.Conn, *bufio.Reader) {
		nc, r, _ := p.rawWeb(t, goodHandshake)
		return nc, r
	}
	for name, c := range map[string]struct {
		frames string
		code   uint16
	}{
		"no mask":                {"\x81\x01<", 1002},
		"reserved bit":           {frame(0xC1, framingOpen), 1002},
		"unknown frame":          {frame(0x83, framingOpen), 1002},
		"unknown control frame":  {frame(0x8B, ""), 1002},
		"binary":                 {frame(0x82, framingOpen), 1003},
		"long ping":              {frame(0x89, strings.Repeat("x", 126)), 1002},
		"ping in fragments":      {frame(0x09, "x"), 1002},
		"continuation first":     {frame(0x80, framingOpen), 1002},
		"text within a message":  {frame(0x01, "<") + frame(0x81, "<"), 1002},
		"length that could be 7": {"\x81\xfe\x00\x01aaaax", 1002},
		"length of 2^63":         {"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xffaaaax", 1002},
	} {
		nc, r := start()
		if _, err := io.WriteString(nc, c.frames); err != nil {
			t.Fatal(err)
		}
		first, payload, err := readFrame(r)
		if err != nil || first != 0x88 || len(payload) != 2 || binary.BigEndian.Uint16([]byte(payload)) != c.code {
			t.Errorf("%s: %x %q %v, want code %d", name, first, payload, err, c.code)
		}
	}

	nc, r := start()
	whole := frame(0x01, framingOpen[:10]) + frame(0x89, "are you there") + frame(0x00, "") + frame(0x00, framingOpen[10:30]) + frame(0x80, framingOpen[30:])
	for i := range len(whole) {
		if _, err := nc.Write([]byte{whole[i]}); err != nil {
			t.Fatal(err)
		}
	}
	if first, payload, err := readFrame(r); err != nil || first != 0x8A || payload != "are you there" {
		t.Errorf("a ping was answered by %x %q, %v", first, payload, err)
	}
	if first, payload, err := readFrame(r); err != nil || first != 0x81 || !strings.HasPrefix(payload, "<open ") {
		t.Errorf("open was answered by %x %q, %v", first, payload, err)
	}

	nc, r = start()
	if _, err := io.WriteString(nc, strings.Repeat(frame(0x01, ""), 1)+strings.Repeat(frame(0x00, ""), 100)); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r); err != nil || !strings.Contains(string(b), "<policy-violation ") {
		t.Errorf("a message of 100 fragments: %q, %v", b, err)
	}
	nc, r = start()
	if _, err := io.WriteString(nc, "\x81\xff\x00\x00\x00\x00\x40\x00\x00\x00aaaa"); err != nil { // a header alone
		t.Fatal(err)
	}
	if _, payload, err := readFrame(r); err != nil || !strings.HasPrefix(payload, "<open ") {
		t.Errorf("a message of 1 GiB: %q, %v", payload, err)
	}
}

// XEP-0198 over WebSocket: a session survives the loss of its connection and continues over another one, also over TCP.
func TestWebSocketResumption(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	c := p.dialWeb()
	c.login("romeo", "web", "<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
	enabled := c.until("<enabled")
	_, id, _ := strings.Cut(enabled, " id='")
	id, _, _ = strings.Cut(id, "'")
	_ = c.conn.CloseNow()
	other := p.dialWeb()
	other.login("juliet", "web", "<message xmlns='jabber:client' to='romeo@home.test/web' id='late'><body>late</body></message>")
	again := p.dialWeb()
	again.send(framingOpen)
	again.until("<stream:features")
	again.send(auth("PLAIN", "\x00romeo\x00romeo"))
	again.until("<success")
	again.send(framingOpen)
	again.until("<stream:features")
	rawstream.Eventually(t, "the session can be resumed", func() bool { return p.server.clients.Counters.Detached.Load() == 1 })
	again.send("<resume xmlns='urn:xmpp:sm:3' h='0' previd='" + id + "'/>")
	if got := again.next(); !strings.HasPrefix(got, "<resumed ") {
		t.Fatalf("not resumed: %s", got)
	}
	if got := again.until("<message "); !strings.Contains(got, "<body>late</body>") {
		t.Error(got)
	}
}

// A page may connect from this server, and from elsewhere where web.origins says so.
func TestWebSocketOrigins(t *testing.T) {
	t.Parallel()
	c, err := config.Parse(fmt.Appendf(nil, settings, t.TempDir(), "", "", "", "", ""), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Web.Origins = []string{"https://chat.example/"}
	p := startTestServer(t, c, noServices)
	for origin, status := range map[string]int{
		"https://chat.example": 101, "http://home.test": 101, "http://chat.example": 403, "https://chat.example.evil": 403, "https://evil.example": 403, "null": 403,
	} {
		if _, _, answer := p.rawWeb(t, goodHandshake+"Origin: "+origin+"\r\n"); answer.StatusCode != status {
			t.Errorf("%s: %d, want %d", origin, answer.StatusCode, status)
		}
	}
}

// WebSockets count among the connections of their address, and end with the server.
func TestWebSocketLimits(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{limits: "connections = 3\nnew_connections = 0"})
	for _, name := range []string{"romeo", "juliet", "nurse"} {
		p.dialWeb().login(name, "web")
	}
	c := p.dial(p.server.ports.c2s[0])
	c.Send(head("jabber:client", "home.test"))
	if got := c.rest(); !strings.Contains(got, "<resource-constraint ") {
		t.Errorf("over TCP %s", got)
	}
	if p.count("limits.connections") == 0 {
		t.Error("not counted")
	}
}

// The web client is at the root, and where clients connect is published for hosts with TLS.
func TestWebPages(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	base := "http://" + p.server.ports.http[0].Addr().String()
	for path, want := range map[string]string{
		"/":                           `data-websocket="/ws" data-host="home.test"`,
		"/.well-known/host-meta":      `<Link rel="urn:xmpp:alt-connections:websocket" href="wss://home.test:`,
		"/.well-known/host-meta.json": `{"links":[{"rel":"urn:xmpp:alt-connections:websocket","href":"wss://home.test:`,
	} {
		answer, err := nethttp.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || answer.StatusCode != 200 || !strings.Contains(string(b), want) {
			t.Errorf("%s: %d, %v: %s", path, answer.StatusCode, err, b)
		}
	}
	nethttp.DefaultClient.CloseIdleConnections()
}

// The end of the server ends the streams and the WebSockets.
func TestWebSocketShutdown(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	c := p.dialWeb()
	c.login("romeo", "web")
	go p.stop()
	if got := c.until("system-shutdown"); !strings.HasPrefix(got, "<stream:error xmlns:stream=") {
		t.Error(got)
	}
	if messages, code := c.closed(); len(messages) != 1 || messages[0] != framingClose || code != websocket.StatusNormalClosure {
		t.Errorf("closed with %q, %v", messages, code)
	}
	p.stop()
}
