package checklist

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

func mechanisms(f *xmltree.Element) []string {
	var names []string
	if list := f.Child(nsSASL, "mechanisms"); list != nil {
		for _, m := range list.Children {
			names = append(names, m.Text)
		}
	}
	return names
}

func TestMechanisms(t *testing.T) { // checklist 26
	h := sharedServer(t)
	w := h.dial(t)
	if got := mechanisms(w.open()); len(got) > 0 {
		t.Errorf("before TLS: %v", got)
	}
	for _, m := range []string{"PLAIN", "SCRAM-SHA-1"} {
		w.send(auth(m, "="))
		if got := failure(t, w.element()); got != "encryption-required" {
			t.Errorf("%s before TLS: %s", m, got)
		}
	}
	_, f := h.secured(t)
	offered := mechanisms(f)
	for _, m := range []string{"PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"} {
		if !slices.Contains(offered, m) {
			t.Errorf("%s is not offered: %v", m, offered)
			continue
		}
		user := newAccount(t)
		conn, err := client.Dial(t.Context(), client.Login{
			Addr: h.ClientAddr, Domain: servedHost, User: user, Password: password, TLS: h.TLS, Mechanism: m,
		})
		if err != nil {
			t.Errorf("%s: %v", m, err)
			continue
		}
		conn.Drop()
	}
	// What is not offered cannot be used, whatever it is called.
	for _, m := range []string{"EXTERNAL", "ANONYMOUS", "DIGEST-MD5", "CRAM-MD5", "LOGIN", "OAUTHBEARER", "X-OAUTH2", "GSSAPI", "SCRAM-SHA3-512", "plain", ""} {
		if slices.Contains(offered, m) {
			continue
		}
		w, _ := h.secured(t)
		w.send(auth(m, "="))
		if got := failure(t, w.element()); got != "invalid-mechanism" {
			t.Errorf("%q: %s", m, got)
		}
	}
	// Where TLS is not required, a server still does not take passwords in clear.
	open := startServer(t, serverSettings{plain: true, accounts: "a@" + servedHost + " " + password + "\n"})
	w = open.dial(t)
	if got := mechanisms(w.open()); slices.Contains(got, "PLAIN") || slices.ContainsFunc(got, func(m string) bool { return strings.HasSuffix(m, "-PLUS") }) {
		t.Errorf("in clear: %v", got)
	}
	w.send(plain("a", password))
	if got := failure(t, w.element()); got != "invalid-mechanism" && got != "encryption-required" {
		t.Errorf("PLAIN in clear: %s", got)
	}
}

// failure is the condition of a SASL failure.
func failure(t *testing.T, e *xmltree.Element) string {
	t.Helper()
	if e.Name.Space != nsSASL || e.Name.Local != "failure" || len(e.Children) == 0 {
		t.Fatalf("failure expected, got %s", e)
	}
	return e.Children[0].Name.Local
}

func TestBase64(t *testing.T) { // checklist 27
	h := sharedServer(t)
	user := newAccount(t)
	good := encode("\x00" + user + "\x00" + password)
	for name, text := range map[string]string{
		"other characters": "*" + good[1:],
		"of URLs":          "_-_-",
		"no padding":       strings.TrimRight(encode("\x00a\x00bc"), "="),
		"bits in padding":  "AAB=",
		"much padding":     encode("\x00a\x00b") + "====",
		"padding inside":   "AA==AAAA",
		"line end":         good[:4] + "\n" + good[4:],
		"space in front":   " " + good,
		"space behind":     good + " ",
	} {
		w, _ := h.secured(t)
		w.send(auth("PLAIN", text))
		if got := failure(t, w.element()); got != "incorrect-encoding" {
			t.Errorf("%s: %s", name, got)
		}
		w.login(user) // the stream goes on
	}
	// "=" is a response of no bytes: with a mechanism where the client speaks first it is
	// one that is wrong, and none at all is asked for with an empty challenge.
	w, _ := h.secured(t)
	w.send(auth("PLAIN", "="))
	if got := failure(t, w.element()); got != "malformed-request" && got != "not-authorized" {
		t.Errorf("empty response: %s", got)
	}
	w.send("<auth xmlns='" + nsSASL + "' mechanism='PLAIN'/>")
	if e := w.element(); e.Name.Local != "challenge" || e.Text != "" && e.Text != "=" {
		t.Fatalf("empty challenge expected, got %s", e)
	}
	w.send("<response xmlns='" + nsSASL + "'>" + good + "</response>")
	if e := w.element(); e.Name.Local != "success" {
		t.Error(e)
	}
}

func TestLoginFailures(t *testing.T) { // checklist 28
	h := sharedServer(t)
	user := newAccount(t)
	for name, test := range map[string]struct{ send, want string }{
		"unknown mechanism":  {auth("X-UNKNOWN", "="), "invalid-mechanism"},
		"abort":              {"<abort xmlns='" + nsSASL + "'/>", "aborted"},
		"malformed":          {auth("PLAIN", encode("no separators")), "malformed-request"},
		"three separators":   {auth("PLAIN", encode("\x00a\x00b\x00c")), "malformed-request"},
		"bad SCRAM":          {auth("SCRAM-SHA-1", encode("hello")), "malformed-request"},
		"another's name":     {auth("PLAIN", encode("other@"+servedHost+"\x00"+user+"\x00"+password)), "invalid-authzid"},
		"wrong password":     {plain(user, "wrong"), "not-authorized"},
		"unknown user":       {plain("nobody", password), "not-authorized"},
		"empty password":     {plain(user, ""), "not-authorized"},
		"response to naught": {"<response xmlns='" + nsSASL + "'/>", "malformed-request"},
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := h.secured(t)
			w.send(test.send)
			got := failure(t, w.element())
			if got != test.want && (test.want != "not-authorized" || got != "malformed-request" || !strings.Contains(name, "empty")) {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

func TestAuthAgain(t *testing.T) { // checklist 29
	h := sharedServer(t)
	user := newAccount(t)
	w, _ := h.secured(t)
	w.send(auth("SCRAM-SHA-256", encode("n,,n="+user+",r=abcdefgh")))
	if e := w.element(); e.Name.Local != "challenge" {
		t.Fatal(e)
	}
	w.login(user) // drops the exchange that had begun

	w, _ = h.secured(t)
	for range 2 {
		w.send(plain(user, "wrong"))
		failure(t, w.element())
	}
	w.login(user)

	w, _ = h.secured(t)
	for n := 1; ; n++ {
		w.send(plain(user, "wrong"))
		failure(t, w.element())
		if n == 3 { // as configured
			w.wantError("policy-violation")
			break
		}
	}
}

func TestAfterLogin(t *testing.T) { // checklist 30
	h := sharedServer(t)
	w, _ := h.secured(t)
	user := newAccount(t)
	w.send(plain(user, password))
	if e := w.element(); e.Name.Local != "success" {
		t.Fatal(e)
	}
	w.again()
	w.send(w.defaultHead())
	first := w.header()
	f := w.features()
	if f.Child(nsBind, "bind") == nil {
		t.Errorf("no bind: %s", f)
	}
	if s := f.Child("urn:ietf:params:xml:ns:xmpp-session", "session"); s != nil && s.Child("", "optional") == nil {
		t.Errorf("session is not optional: %s", f)
	}
	for space, local := range map[string]string{"urn:xmpp:features:rosterver": "ver", "urn:xmpp:features:pre-approval": "sub"} {
		if f.Child(space, local) == nil {
			t.Errorf("no %s: %s", local, f)
		}
	}
	if len(mechanisms(f)) > 0 || first.Attr("id") == "" {
		t.Errorf("mechanisms after login: %s", f)
	}
	// And all in one go: a client need not wait for what it knows will come.
	quick, _ := h.secured(t)
	quick.send(plain(user, password) + quick.defaultHead() + "<iq type='set' id='b'><bind xmlns='" + nsBind + "'/></iq><message to='" + user + "@" + servedHost + "' id='m'/>")
	if e := quick.element(); e.Name.Local != "success" {
		t.Fatal(e)
	}
	quick.again()
	quick.header()
	quick.features()
	if e := quick.element(); e.Attr("id") != "b" || e.Attr("type") != "result" {
		t.Error(e)
	}
}

func TestAuthorizationIdentity(t *testing.T) { // checklist 31
	h := sharedServer(t)
	user := newAccount(t)
	for authzid, good := range map[string]bool{
		"":                                       true,
		user + "@" + servedHost:                  true,
		strings.ToUpper(user) + "@" + servedHost: true, // the same address
		user:                                     false,
		"admin@" + servedHost:                    false,
		user + "@" + secondHost:                  false,
		user + "@" + servedHost + "/r":           false,
		servedHost:                               false,
		"@":                                      false,
	} {
		w, _ := h.secured(t)
		w.send(auth("PLAIN", encode(authzid+"\x00"+user+"\x00"+password)))
		e := w.element()
		if e.Name.Local == "success" {
			if !good {
				t.Errorf("%q may be acted for", authzid)
			}
			w.open()
			if w.bind(""); w.bare() != user+"@"+servedHost {
				t.Errorf("%q: bound as %s", authzid, w.jid)
			}
			continue
		}
		if got := failure(t, e); good || got != "invalid-authzid" {
			t.Errorf("%q: %s", authzid, got)
		}
		w2, _ := h.secured(t)
		w2.send(auth("SCRAM-SHA-256", encode("n,a="+authzid+",n="+user+",r=abcdefgh")))
		if got := failure(t, w2.element()); authzid != "" && got != "invalid-authzid" {
			t.Errorf("%q with SCRAM: %s", authzid, got)
		}
	}
}

func TestBeforeBinding(t *testing.T) { // checklist 32
	h := sharedServer(t)
	victim := h.available(t, newAccount(t), "")
	for name, send := range map[string]string{
		"message":         "<message to='" + victim.jid + "'><body>x</body></message>",
		"message to bare": "<message to='" + victim.bare() + "'><body>x</body></message>",
		"presence":        "<presence/>",
		"directed":        "<presence to='" + victim.jid + "'/>",
		"IQ":              "<iq type='get' id='1' to='" + victim.jid + "'><query xmlns='jabber:iq:version'/></iq>",
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := h.loggedIn(t, newAccount(t))
			w.push(send)
			w.wantError("not-authorized")
		})
	}
	// A wish to the server itself is refused, and binding is still possible.
	w, _ := h.loggedIn(t, newAccount(t))
	w.send("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
	if e := w.element(); condition(e) != "not-authorized" || e.Attr("id") != "r" {
		t.Error(e)
	}
	w.bind("r")
	w.settle()
	victim.nothing()
}

func TestResources(t *testing.T) { // checklist 33
	t.Parallel()
	h := startServer(t, serverSettings{limits: "sessions = 3", accounts: "a@" + servedHost + " " + password + "\nb@" + servedHost + " " + password + "\n"})
	first, second := h.session(t, "a", ""), h.session(t, "a", "")
	if _, r, _ := strings.Cut(first.jid, "/"); len(r) < 16 || first.jid == second.jid {
		t.Errorf("resources of the server's making: %s, %s", first.jid, second.jid)
	}
	h.session(t, "a", "third")
	w, _ := h.loggedIn(t, "a")
	if e := w.bind("fourth"); condition(e) != "resource-constraint" || e.Child("", "error").Attr("type") != "wait" {
		t.Error(e)
	}
	_ = first.conn.Close()
	poll(t, func() error {
		if w.bind("fourth"); w.jid == "" {
			return errNotYet
		}
		return nil
	})
	for resource, want := range map[string]string{
		"Phone": "Phone", "a b": "a b", "♚": "♚", "a/b": "a/b", "a@b": "a@b", "ｆｕｌｌ": "ｆｕｌｌ", "x\u00a0y": "x y", // OpaqueString: other spaces become plain ones
	} {
		w := h.session(t, "b", resource)
		if w.jid != "b@"+servedHost+"/"+want {
			t.Errorf("%q is bound as %s", resource, w.jid)
		}
		w.send(theEnd)
		w.ends()
	}
	for _, resource := range []string{"a\u0085b", strings.Repeat("x", 1024), "a\u200bb"} {
		w, _ := h.loggedIn(t, "b")
		if e := w.bind(resource); condition(e) != "bad-request" {
			t.Errorf("%q: %s", resource, e)
		}
		w.bind("good") // another try on the same stream
		w.send(theEnd)
		w.ends()
	}
	empty, _ := h.loggedIn(t, "b")
	empty.send("<iq type='set' id='bind'><bind xmlns='" + nsBind + "'><resource/></bind></iq>")
	if e := empty.element(); e.Find("bind", "jid") == nil || strings.HasSuffix(e.Find("bind", "jid").Text, "/") {
		t.Error(e)
	}
}

func TestTakenResources(t *testing.T) { // checklist 34
	t.Parallel()
	for _, policy := range []string{"replace", "reject", "rename"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			h := startServer(t, serverSettings{login: fmt.Sprintf("conflict = %q", policy), accounts: "a@" + servedHost + " " + password + "\n"})
			old := h.session(t, "a", "r")
			w, _ := h.loggedIn(t, "a")
			e := w.bind("r")
			switch policy {
			case "replace":
				old.wantError("conflict")
				if w.jid != old.jid {
					t.Error(e)
				}
			case "reject":
				if condition(e) != "conflict" {
					t.Error(e)
				}
				if w.bind("other"); !strings.HasSuffix(w.jid, "/other") {
					t.Errorf("bound as %q", w.jid)
				}
				old.nothing()
			case "rename":
				if w.jid == "" || w.jid == old.jid || w.bare() != old.bare() {
					t.Errorf("bound as %q", w.jid)
				}
				old.nothing()
			}
			// The address that was returned is the one that counts.
			w.send("<message to='" + w.jid + "' id='m'/>")
			if e := w.element(); e.Attr("from") != w.jid {
				t.Error(e)
			}
		})
	}
}

func TestBindingOnce(t *testing.T) { // checklist 35
	h := sharedServer(t)
	w := h.session(t, newAccount(t), "r")
	if e := w.ask("set", "", "<bind xmlns='"+nsBind+"'><resource>other</resource></bind>"); condition(e) != "not-allowed" {
		t.Error(e)
	}
	for _, to := range []string{"", servedHost} {
		if e := w.ask("set", to, "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>"); e.Attr("type") != "result" {
			t.Error(e)
		}
	}
	w.nothing()
	// No new login and no new stream either.
	w.push(plain("a", "b"))
	w.wantError("unsupported-stanza-type", "not-authorized")
	w = h.session(t, newAccount(t), "r")
	w.push(w.defaultHead())
	w.wantError("not-well-formed", "restricted-xml", "unsupported-stanza-type", "invalid-namespace", "bad-format")
}
