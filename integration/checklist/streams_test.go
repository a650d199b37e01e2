package checklist

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"
)

func TestAfterStreamError(t *testing.T) { // checklist 12
	h := sharedServer(t)
	victim := h.session(t, newAccount(t), "")
	w := h.session(t, newAccount(t), "")
	w.push("<message to='" + victim.jid + "'><body>before</body></message><a></b><message to='" + victim.jid + "'><body>after</body></message>")
	w.wantError("not-well-formed") // then the end tag, close_notify and the end of TCP
	if got := bodies(victim.settle()); len(got) != 1 || got[0] != "before" {
		t.Errorf("arrived: %q", got)
	}
	// Go's client takes the end of TCP for that of TLS too. In TLS 1.2 an alert can be told from below.
	w = h.dial(t)
	w.open()
	w.send(startTLS)
	w.element()
	under := &recordingReader{Conn: w.conn}
	config := h.TLS.Clone()
	config.ServerName, config.MaxVersion = servedHost, tls.VersionTLS12
	w.use(tls.Client(under, config))
	w.open()
	w.push("<a></b>")
	w.wantError("not-well-formed")
	var kinds []byte
	for rest := under.received; len(rest) > 5; rest = rest[min(len(rest), 5+int(rest[3])<<8+int(rest[4])):] {
		kinds = append(kinds, rest[0])
	}
	if last := len(kinds) - 1; last < 0 || kinds[last] != 21 || kinds[last-1] != 23 { // RFC 5246 §6.2.1: an alert behind data
		t.Errorf("TLS ends with records of the kinds %d", kinds)
	}
}

// recordingReader keeps all that is read.
type recordingReader struct {
	net.Conn
	received []byte
}

func (l *recordingReader) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	l.received = append(l.received, b[:n]...)
	return n, err
}

func TestClosing(t *testing.T) { // checklist 13
	h := sharedServer(t)
	for _, user := range []string{newAccount(t), ""} {
		if user == "" { // before login
			w := h.dial(t)
			w.open()
			w.send(theEnd)
			w.ends()
			continue
		}
		w := h.session(t, user, "")
		var text strings.Builder
		for range 500 {
			text.WriteString("<message to='" + w.jid + "'><body>on its way</body></message>")
		}
		w.send(text.String() + theEnd)
		for n := range 500 {
			if e := w.element(); e.ChildText("body") != "on its way" {
				t.Fatalf("message %d: %s", n, e)
			}
		}
		w.ends()
	}
	// The client that says nothing any more once the server has ended its side is waited
	// for no longer than some seconds.
	old := h.session(t, newAccount(t), "r")
	user, _, _ := strings.Cut(old.jid, "@")
	h.session(t, user, "r")
	old.wantError("conflict")
}

func TestWhiteSpace(t *testing.T) { // checklist 14
	t.Parallel()
	h := startServer(t, serverSettings{limits: "idle = \"400ms\"", accounts: "a@" + servedHost + " " + password + "\n"})
	w := h.session(t, "a", "")
	begin := time.Now()
	for time.Since(begin) < 2*time.Second { // five times as long as it takes to be asked
		w.send(" \n\t")
		time.Sleep(50 * time.Millisecond) // it is the time that is tested
	}
	w.nothing()
	w.send("<message to='" + w.jid + "' id='m'><body>x</body></message> \r\n <iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
	if e := w.element(); e.Attr("id") != "m" {
		t.Error(e)
	}
	if e := w.element(); e.Attr("id") != "p" {
		t.Error(e)
	}
}

func TestIdleConnections(t *testing.T) { // checklist 15
	t.Parallel()
	h := startServer(t, serverSettings{limits: "idle = \"300ms\"", accounts: "a@" + servedHost + " " + password + "\n"})
	answering, silent := h.session(t, "a", "answering"), h.session(t, "a", "silent")
	for range 4 {
		e := answering.element()
		if e.Name.Local != "iq" || e.Attr("type") != "get" || e.Find("ping") == nil {
			t.Fatalf("a question expected, got %s", e)
		}
		answering.send("<iq type='result' id='" + e.Attr("id") + "' to='" + e.Attr("from") + "'/>")
	}
	if e := silent.element(); e.Find("ping") == nil {
		t.Fatalf("a question expected, got %s", e)
	}
	silent.wantError("connection-timeout")
	answering.settle()
}

func TestStreamErrors(t *testing.T) { // checklist 16, 120
	t.Parallel()
	h := startServer(t, serverSettings{
		limits:   "connections = 2\nnew_connections = 0",
		accounts: "a@" + servedHost + " " + password + "\n",
	})
	first := h.session(t, "a", "r")
	second := h.session(t, "a", "r")
	first.wantError("conflict")
	_ = first.conn.Close()
	other := h.session(t, "a", "")
	from := net.IPv4(127, 9, 9, 9)
	turned := h.dialFrom(t, h.ClientAddr, from) // the oldest that has not logged in
	turned.open()
	var third *rawClient
	for range 2 {
		third = h.dialFrom(t, h.ClientAddr, from)
		third.open()
	}
	turned.wantError("resource-constraint")
	third.push("<iq/>")
	third.wantError("policy-violation", "not-authorized")

	second.send("<presence/>")
	second.settle()
	other.send("<presence/>")
	quiet(second, other)
	if state, err := h.process.Stop(); err != nil || !state.Success() {
		t.Errorf("stop: %v, %v", state, err)
	}
	second.wantError("system-shutdown")
	other.wantError("system-shutdown")
}

func TestStreamErrorForm(t *testing.T) { // checklist 17
	h := sharedServer(t)
	for want, send := range map[string]string{
		"invalid-from":            "<message from='somebody@" + servedHost + "'/>",
		"not-well-formed":         "<a></b>",
		"restricted-xml":          "<!-- -->",
		"unsupported-stanza-type": "<a xmlns='urn:x'/>",
		"bad-format":              "text",
		"policy-violation":        "<message>" + strings.Repeat("<a/>", 10_000) + "</message>",
	} {
		w := h.session(t, newAccount(t), "")
		go w.push(send)
		w.wantError(want) // and streamError looks at its form
	}
}

func TestOneAfterTheOther(t *testing.T) { // checklist 18
	h := sharedServer(t)
	w := h.session(t, newAccount(t), "")
	var all strings.Builder
	for i := range 30 {
		contact := "c" + string(rune('a'+i%26)) + string(rune('a'+i/26)) + "@" + servedHost
		all.WriteString("<iq type='set' id='s" + contact + "'><query xmlns='jabber:iq:roster'><item jid='" + contact + "'/></query></iq>" +
			"<iq type='get' id='g" + contact + "'><query xmlns='jabber:iq:roster'/></iq>" +
			"<message to='" + w.jid + "' id='m" + contact + "'/>")
	}
	w.send(all.String())
	got := 0
	for range 3 * 30 {
		e := w.element()
		for e.Name.Local == "iq" && e.Attr("type") == "set" {
			e = w.element() // a push, once the roster has been read
		}
		id := e.Attr("id")
		switch id[0] {
		case 's':
			got++
			if e.Attr("type") != "result" {
				t.Fatal(e)
			}
		case 'g':
			if n := len(e.Child(nsRoster, "query").Children); n != got {
				t.Fatalf("%d items after %d sets", n, got)
			}
		}
	}
	if got != 30 {
		t.Errorf("%d answers", got)
	}
}
