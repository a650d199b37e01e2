package checklist

import (
	"strings"
	"testing"
)

// accepts asks about an address and reports whether it is one: any answer but jid-malformed.
func accepts(w *rawClient, address string) bool {
	w.t.Helper()
	escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", "'", "&apos;").Replace(address)
	return condition(w.ask("get", escaped, "<q xmlns='urn:example:q'/>")) != "jid-malformed"
}

func TestParts(t *testing.T) { // checklist 99
	h := sharedServer(t)
	w := h.session(t, newAccount(t), "")
	k := h.component(t, domain(t))
	part := strings.Repeat("x", 1023)
	label := strings.Repeat("y", 63)
	long := strings.Repeat(label+".", 15) + label // 1023
	for address, good := range map[string]bool{
		part + "@" + servedHost:                       true,
		part + "x@" + servedHost:                      false,
		"a@" + servedHost + "/" + part:                true,
		"a@" + servedHost + "/" + part + "x":          false,
		strings.Repeat("ß", 511) + "@" + servedHost:   true,
		strings.Repeat("ß", 511) + "xx@" + servedHost: false,
		strings.Repeat("ß", 512) + "@" + servedHost:   false, // the limit is within a character
		part + "@" + long + "/" + part:                true,  // 3071 bytes
		part + "@" + servedHost + "/" + part:          true,
		"a@b@" + servedHost:                           false,
		servedHost + "/a@b/c@d":                       true,
		"a@" + servedHost + "/@":                      true,
	} {
		if got := accepts(w, address); got != good {
			t.Errorf("%.40s… (%d bytes): accepted %t", address, len(address), got)
		}
	}
	// The first slash ends the address proper, the first @ before it the localpart.
	w.send("<message to='" + k.jid + "/a@b/c'/>")
	if e := k.element(); e.Attr("to") != k.jid+"/a@b/c" {
		t.Error(e)
	}
}

func TestForms(t *testing.T) { // checklist 100
	h := sharedServer(t)
	// A session is bound in the form that the parts have.
	for name, want := range map[string]string{"ΣΊΓΜΑ": "σίγμα", "Fußball": "fußball"} {
		w, _ := h.secured(t)
		w.login(name)
		if w.bind("R"); w.jid != want+"@"+servedHost+"/R" {
			t.Errorf("%s is bound as %q", name, w.jid)
		}
	}
	w := h.session(t, newAccount(t), "")
	for written, want := range map[string]string{
		strings.ToUpper(servedHost): servedHost,
		servedHost + ".":            servedHost,
		"xn--bcher-kva.example":     ideaHost,
		"BÜCHER.example":            ideaHost,
		"bu\u0308cher.example":      ideaHost,
	} {
		e := w.ask("get", written, ping)
		if e.Attr("type") != "result" || e.Attr("from") != want {
			t.Errorf("%s: %s", written, e)
		}
	}
	for _, char := range "\"&'/:<>@" {
		address := "a" + string(char) + "b@" + servedHost
		if char == '/' || char == '@' {
			continue // these end the part
		}
		if accepts(w, address) {
			t.Errorf("%s is taken", address)
		}
	}
	for address, good := range map[string]bool{
		"a@127.0.0.1": true, "a@[::1]": true, "a@[2001:db8::1]/r": true, "a@[::1": false, "a@[nonsense]": false,
		"a@ex ample": false, "a@.example": false, "a@a..example": false, "a@-a.example": false, "a@exa_mple": false,
	} {
		if got := accepts(w, address); got != good && address != "a@exa_mple" { // hosts with _ there are
			t.Errorf("%s: accepted %t", address, got)
		}
	}
}

func TestGoodAddresses(t *testing.T) { // checklist 101
	h := sharedServer(t)
	w := h.session(t, newAccount(t), "")
	k := h.component(t, domain(t))
	for _, local := range []string{"juliet", `foo\20bar`, "fußball", "π", "king"} {
		for _, resource := range []string{"", "/foo bar", "/foo@bar", "/♚", "/a/b"} {
			address := local + "@" + k.jid + resource
			w.send("<message to='" + address + "'/>")
			if e := k.element(); e.Attr("to") != address {
				t.Errorf("%s arrives as %s", address, e.Attr("to"))
			}
			k.send("<message from='" + address + "' to='" + w.jid + "'/>")
			if e := w.element(); e.Attr("from") != address {
				t.Errorf("%s arrives from %s", address, e.Attr("from"))
			}
		}
	}
	w.send("<message to='Σ@" + k.jid + "' id='m'/>")
	if e := k.element(); e.Attr("to") != "σ@"+k.jid {
		t.Error(e)
	}
	w.send("<message to='" + k.jid + "/b@example.net' id='m'/>")
	if e := k.element(); e.Attr("to") != k.jid+"/b@example.net" {
		t.Error(e)
	}
}

func TestBadAddresses(t *testing.T) { // checklist 102
	h := sharedServer(t)
	w := h.session(t, newAccount(t), "")
	for _, address := range []string{
		`"juliet"@example.com`, "foo bar@example.com", "@example.com/", "henryⅣ@example.com", "♚@example.com",
		"juliet@", "/foobar", "@", "@" + servedHost, "", "juliet@example.com/", "a@b@c", "ju\u00a0liet@example.com", "a\u200bb@example.com",
	} {
		if address == "" {
			continue // is no address given
		}
		for _, kind := range []string{"message", "presence", "iq type='get'"} {
			name, _, _ := strings.Cut(kind, " ")
			escaped := strings.ReplaceAll(address, `"`, "&quot;")
			w.send("<" + kind + " id='bad' to='" + escaped + "'><x xmlns='urn:x'/></" + name + ">")
			got := w.settle()
			if len(got) != 1 || condition(got[0]) != "jid-malformed" || got[0].Attr("id") != "bad" || got[0].Name.Local != name {
				t.Errorf("%s to %q: %v", name, address, got)
			}
		}
	}
}

func TestDisputedCharacters(t *testing.T) { // checklist 103
	h := sharedServer(t)
	w := h.session(t, newAccount(t), "")
	k := h.component(t, domain(t))
	// What other servers fold to something else is here what it is, both ways.
	for _, local := range []string{"straße", "strasse", "ı", "i", "ff", "שלום", "سلام", "نامه\u200cای", "ς", "σ"} {
		address := local + "@" + k.jid + "/İ ß"
		w.send("<message to='" + address + "' id='m'><see xmlns='urn:x' jid='STRASSE@Example.COM/ｆ'>ｓß@ｅ</see></message>")
		e := k.element()
		see := e.Child("urn:x", "see")
		if condition(e) != "" || e.Attr("to") != address || see == nil || see.Attr("jid") != "STRASSE@Example.COM/ｆ" || see.Text != "ｓß@ｅ" {
			t.Errorf("%s arrives as %s", address, e)
		}
		k.send("<message from='" + address + "' to='" + w.jid + "'/>")
		if e := w.element(); e.Attr("from") != address {
			t.Errorf("%s arrives from %s", address, e.Attr("from"))
		}
	}
	// Two contacts that a server with other tables would take for one.
	for _, local := range []string{"straße", "strasse"} {
		w.put("<item jid='" + local + "@" + k.jid + "'/>")
	}
	same(t, "roster", w.roster(), []string{"strasse@" + k.jid + " none", "straße@" + k.jid + " none"})
	// Fullwidth letters: the localpart maps them by width, a resource keeps them.
	w.send("<message to='ｆｕｌｌ@" + k.jid + "/ｆ' id='m'/>")
	if e := k.element(); e.Attr("to") != "full@"+k.jid+"/ｆ" {
		t.Error(e)
	}
}

func TestFormsAreStable(t *testing.T) { // checklist 104
	h := sharedServer(t)
	account := newAccount(t)
	for _, resource := range []string{"Phone", "ｆｕｌｌ", "a b", "x\u00a0y", "é", "e\u0301", "Å", "♚", "ß", "ΑΣ", "שלום", "a@b/c", "\u1e9b\u0323"} {
		w, _ := h.loggedIn(t, account)
		w.bind(resource)
		if w.jid == "" {
			continue // refused is stable too
		}
		_, bound, _ := strings.Cut(w.jid, "/")
		w.send("<message to='" + w.jid + "' id='m'/>")
		if e := w.element(); e.Attr("from") != w.jid || e.Attr("to") != w.jid {
			t.Errorf("%s: %s", w.jid, e)
		}
		_ = w.conn.Close()
		again, _ := h.loggedIn(t, account)
		if again.bind(bound); again.jid != w.jid {
			t.Errorf("%q is bound as %q, and that as %q", resource, w.jid, again.jid)
		}
		// As it was written it is the same address.
		again.send("<message to='" + account + "@" + servedHost + "/" + resource + "' id='m'/>")
		if e := again.element(); e.Attr("from") != again.jid || condition(e) != "" {
			t.Errorf("%q: %s", resource, e)
		}
		again.send(theEnd)
		for {
			if _, err := again.next(); err != nil {
				break
			}
		}
	}
}
