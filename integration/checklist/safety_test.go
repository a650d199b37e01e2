package checklist

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestLimits(t *testing.T) { // checklist 112
	t.Parallel()
	one := net.IPv4(127, 7, 7, 7)
	t.Run("connections", func(t *testing.T) {
		t.Parallel()
		h := startServer(t, serverSettings{limits: "connections = 3\nnew_connections = 0"})
		turned := h.dialFrom(t, h.ClientAddr, one) // the oldest that has not logged in
		turned.open()
		for range 3 {
			h.dialFrom(t, h.ClientAddr, one).open()
		}
		turned.wantError("resource-constraint", "policy-violation")
		h.dial(t).open() // from elsewhere
	})
	t.Run("arrivals", func(t *testing.T) {
		t.Parallel()
		h := startServer(t, serverSettings{limits: "connections = 0\nnew_connections = 5"})
		turned := 0
		for range 40 {
			w := h.dialFrom(t, h.ClientAddr, one)
			w.push(w.defaultHead())
			w.header()
			if e := w.element(); e.Name.Local == "error" {
				turned++
			}
			_ = w.conn.Close()
		}
		if turned < 20 {
			t.Errorf("of 40 at once %d were turned away", turned)
		}
		h.dial(t).open()
	})
	t.Run("sessions", func(t *testing.T) {
		t.Parallel()
		h := startServer(t, serverSettings{limits: "sessions = 2", accounts: "a@" + servedHost + " " + password + "\n"})
		h.session(t, "a", "")
		h.session(t, "a", "")
		w, _ := h.loggedIn(t, "a")
		if e := w.bind(""); condition(e) != "resource-constraint" {
			t.Error(e)
		}
	})
	t.Run("rate", func(t *testing.T) {
		t.Parallel()
		h := startServer(t, serverSettings{
			limits:   "rate = \"20 KiB\"\nburst = \"20 KiB\"\nstanza_bytes = \"16 KiB\"",
			accounts: "a@" + servedHost + " " + password + "\nb@" + servedHost + " " + password + "\n",
		})
		fast, calm := h.session(t, "a", ""), h.session(t, "b", "")
		begin := time.Now()
		for range 6 {
			fast.send("<message to='" + fast.jid + "'><body>" + strings.Repeat("x", 10<<10) + "</body></message>")
		}
		calm.settle()
		if d := time.Since(begin); d > time.Second {
			t.Errorf("somebody else waited for %v", d)
		}
		for range 6 { // nothing is lost
			fast.element()
		}
		if d := time.Since(begin); d < time.Second {
			t.Errorf("60 KiB at 20 KiB a second took %v", d)
		}
	})
	t.Run("passwords", func(t *testing.T) {
		t.Parallel()
		h := startServer(t, serverSettings{login: "tries = 2", accounts: "a@" + servedHost + " " + password + "\n"})
		w, _ := h.secured(t)
		for range 2 {
			w.send(plain("a", "wrong"))
			failure(t, w.element())
		}
		w.wantError("policy-violation")
	})
	t.Run("time", func(t *testing.T) {
		t.Parallel()
		h := startServer(t, serverSettings{login: "tls_wait = \"300ms\"\nwait = \"600ms\""})
		silent := h.dial(t)
		silent.header()
		silent.wantError("connection-timeout", "policy-violation")
		begun, _ := h.secured(t)
		begun.wantError("connection-timeout", "policy-violation")
	})
}

// TestNoOracle compares what is seen of an account that there is with what is seen of one
// that there is not.
func TestNoOracle(t *testing.T) { // checklist 113
	t.Parallel()
	// By default senders of this server see that an account does not exist; strangers, of whom there are none without
	// server-to-server connections, do not.
	h := startServer(t, serverSettings{
		server: "hide_unknown = true", more: fmt.Sprintf("[[component]]\ndomain = %q\nsecret = \"between us\"\n", domainName(0)),
		accounts: fmt.Sprintf("eve@%[1]s %[2]s\naway@%[1]s %[2]s\n", servedHost, password),
	})
	eve := h.available(t, "eve", "")
	k := h.component(t, domainName(0))
	away := "away@" + servedHost
	nobody := "nobody-at-all@" + servedHost
	look := func(account string) string {
		var seen []string
		for _, resource := range []string{"", "/r"} {
			for _, send := range []string{
				"<message to='%' type='chat' id='1'><body>x</body></message>",
				"<message to='%' id='2'><body>x</body></message>",
				"<message to='%' type='headline' id='3'/>",
				"<message to='%' type='groupchat' id='4'/>",
				"<iq to='%' type='get' id='5'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
				"<iq to='%' type='get' id='6'><vCard xmlns='vcard-temp'/></iq>",
				"<iq to='%' type='get' id='7'><query xmlns='jabber:iq:last'/></iq>",
				"<iq to='%' type='get' id='8'><query xmlns='" + nsRoster + "'/></iq>",
				"<iq to='%' type='set' id='9'><vCard xmlns='vcard-temp'/></iq>",
				"<iq to='%' type='get' id='10'><query xmlns='jabber:iq:version'/></iq>",
				"<iq to='%' type='set' id='11'><query xmlns='urn:xmpp:mam:2'/></iq>",
				"<presence to='%' id='12'/>", "<presence to='%' type='probe' id='13'/>", "<presence to='%' type='unsubscribe' id='14'/>",
			} {
				eve.send(strings.ReplaceAll(send, "%", account+resource))
				for _, e := range eve.settle() {
					seen = append(seen, strings.ReplaceAll(e.String(), account, "ACCOUNT"))
				}
				k.send(strings.ReplaceAll(strings.Replace(send, " to=", " from='eve@"+k.jid+"' to=", 1), "%", account+resource))
				for _, e := range k.marked(eve) {
					seen = append(seen, strings.ReplaceAll(e.String(), account, "ACCOUNT"))
				}
			}
		}
		return strings.Join(seen, "\n")
	}
	if a, b := look(away), look(nobody); a != b {
		t.Errorf("somebody shows\n%s\n\nand nobody\n%s", a, b)
	}
	// Logging in: the same words, and about the same time.
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256"} {
		times := map[string][]time.Duration{}
		for range 15 {
			for name, account := range map[string]string{"somebody": away, "nobody": nobody} {
				user, _, _ := strings.Cut(account, "@")
				w, _ := h.secured(t)
				begin := time.Now()
				if mechanism == "PLAIN" {
					w.send(plain(user, "wrong"))
				} else {
					w.send(auth(mechanism, encode("n,,n="+user+",r=abcdefgh")))
					e := w.element()
					if e.Name.Local != "challenge" || len(e.Text) < 40 {
						t.Fatalf("%s: %s", name, e)
					}
					w.send("<response xmlns='" + nsSASL + "'>" + encode("c=biws,r=abcdefgh,p=AAAA") + "</response>")
				}
				if got := failure(t, w.element()); got != "not-authorized" && mechanism == "PLAIN" {
					t.Errorf("%s: %s", name, got)
				}
				times[name] = append(times[name], time.Since(begin))
				_ = w.conn.Close()
			}
		}
		somebody, nobody := fastest(times["somebody"]), fastest(times["nobody"])
		if mechanism == "PLAIN" && (somebody > 3*nobody || nobody > 3*somebody) {
			t.Errorf("%s: a wrong password takes %v, an unknown user %v", mechanism, somebody, nobody)
		}
	}
	// The same salt each time, as a real account has.
	salts := map[string]bool{}
	for range 3 {
		w, _ := h.secured(t)
		w.send(auth("SCRAM-SHA-256", encode("n,,n=nobody,r=abcdefgh")))
		_, rest, _ := strings.Cut(decode(t, w.element().Text), ",s=")
		salt, _, _ := strings.Cut(rest, ",")
		salts[salt] = true
	}
	if len(salts) != 1 {
		t.Errorf("an unknown user has %d salts", len(salts))
	}
}

func fastest(d []time.Duration) time.Duration { return slices.Min(d) }

func TestComponents(t *testing.T) { // checklist 116
	h := sharedServer(t)
	name := domain(t)
	for what, send := range map[string]func(id string) string{
		"wrong secret": func(id string) string { return handshake(id, "guessed") },
		"capitals":     func(id string) string { return strings.ToUpper(handshake(id, "between us")) },
		"empty":        func(string) string { return "<handshake/>" },
		"other id":     func(string) string { return handshake("x", "between us") },
		"stanza first": func(string) string { return "<message from='" + name + "' to='a@" + servedHost + "'/>" },
	} {
		k := h.dialAddr(t, h.ComponentAddr)
		k.push(send(k.componentHeader(name)))
		if got, _ := k.streamError(); got != "not-authorized" && (what != "capitals" || got == "") {
			t.Errorf("%s: %s", what, got)
		}
	}
	for attrs, want := range map[string]string{
		"to='unknown." + servedHost + "'": "host-unknown", "to='" + servedHost + "'": "host-unknown", "": "improper-addressing",
	} {
		k := h.dialAddr(t, h.ComponentAddr)
		k.push("<stream:stream xmlns='" + nsComponent + "' xmlns:stream='" + nsStream + "' " + attrs + ">")
		k.header()
		k.wantError(want, "not-authorized")
	}
	k := h.dialAddr(t, h.ComponentAddr)
	k.push("<stream:stream xmlns='jabber:client' xmlns:stream='" + nsStream + "' to='" + name + "'>")
	k.header()
	k.wantError("invalid-namespace")
	// The second of one domain takes the place of the first, which is probably dead.
	first := h.component(t, name)
	second := h.component(t, name)
	first.wantError("conflict")
	w := h.session(t, newAccount(t), "")
	w.send("<message to='" + name + "' id='m'/>")
	if e := second.element(); e.Attr("id") != "m" {
		t.Error(e)
	}
	second.send(theEnd)
	second.ends()
	h.component(t, name)
}

func TestShutdown(t *testing.T) { // checklist 120
	t.Parallel()
	secret := "\n[[component]]\ndomain = \"gw." + servedHost + "\"\nsecret = \"between us\"\n"
	h := startServer(t, serverSettings{
		server: "shutdown = \"3s\"", more: secret, accounts: "a@" + servedHost + " " + password + "\nb@" + servedHost + " " + password + "\n",
	})
	k := h.component(t, "gw."+servedHost)
	a, b := h.session(t, "a", ""), h.session(t, "b", "")
	a.roster()
	a.send("<presence/>")
	a.settle()
	for _, step := range paths["B"] {
		step0(a, k, "ann@"+k.jid, step)
		both(a, k)
	}
	before := h.dial(t)
	before.open()
	slow, _ := h.loggedIn(t, "b")
	a.send("<message to='b@" + servedHost + "' type='chat'><body>kept over the stop</body></message>")
	quiet(a, b)
	begin := time.Now()
	state, err := h.process.Stop()
	if err != nil || !state.Success() {
		t.Errorf("stop: %v, %v", state, err)
	}
	if d := time.Since(begin); d > 4*time.Second {
		t.Errorf("the stop took %v, with 3 s for it", d)
	}
	for _, w := range []*rawClient{a, b, before, slow} {
		w.wantError("system-shutdown")
	}
	gone := false
	for {
		e, err := k.next()
		if err != nil {
			t.Errorf("the component is left with %v", err)
			break
		}
		if e.Name.Local == "error" {
			if e.Child(nsStreams, "system-shutdown") == nil {
				t.Error(e)
			}
			k.ends()
			break
		}
		gone = gone || e.Attr("type") == "unavailable" && e.Attr("from") == a.jid
	}
	if !gone {
		t.Error("the contact at the component was not told that the session went")
	}
	if conn, err := net.Dial("tcp", h.ClientAddr); err == nil {
		_ = conn.Close()
		t.Error("connections are still taken")
	}
}

func decode(t *testing.T, text string) string {
	t.Helper()
	b, err := decodeBase64(text)
	if err != nil {
		t.Fatal(fmt.Errorf("%q: %w", text, err))
	}
	return string(b)
}
