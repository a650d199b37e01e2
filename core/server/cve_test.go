package server

import (
	"strings"
	"testing"
)

// quietly wants a peer to have got nothing with any of these.
func quietly(t *testing.T, c *peer, marks ...string) {
	t.Helper()
	got := c.ping()
	for _, m := range marks {
		if strings.Contains(got, m) {
			t.Errorf("got %q", got)
		}
	}
}

// ask sends an IQ of that type to somebody ("" for nobody) and returns the answer.
func (c *peer) ask(kind, to, payload string) string {
	c.T.Helper()
	if to != "" {
		to = " to='" + to + "'"
	}
	c.Send("<iq type='" + kind + "' id='asked'" + to + ">" + payload + "</iq>")
	before := c.Until("id='asked'")
	return before[strings.LastIndex(before, "<iq"):] + c.upToIQ()
}

func (c *peer) upToIQ() string {
	c.T.Helper()
	head := c.Until(">")
	if strings.HasSuffix(head, "/>") && !strings.Contains(head, "<") {
		return head
	}
	return head + c.Until("</iq>")
}

// CVE-2017-5589 and its kin (to -5606, CVE-2019-16235, CVE-2020-26547): what looks like a copy of juliet's own
// messages, or like her archive, never reaches her in her own name.
func TestCVE_2017_5589_ForgedCopies(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	juliet, romeo, gate := p.online("juliet"), p.online("romeo"), p.attached()
	forwarded := "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='nurse@home.test/x' to='juliet@home.test'><body>forged</body></message></forwarded>"
	for _, wrapped := range []string{
		"<received xmlns='urn:xmpp:carbons:2'>" + forwarded + "</received>", "<sent xmlns='urn:xmpp:carbons:2'>" + forwarded + "</sent>",
		"<c:received xmlns:c='urn:xmpp:carbons:2'>" + forwarded + "</c:received>",
		"<result xmlns='urn:xmpp:mam:2' queryid='q' id='1'>" + forwarded + "</result>",
	} {
		for _, to := range []string{"juliet@home.test", "juliet@home.test/x"} {
			romeo.Send("<message type='chat' to='" + to + "'>" + wrapped + "<body>x</body></message>")
			gate.Send("<message type='chat' from='a@gate.home.test' to='" + to + "'>" + wrapped + "<body>x</body></message>")
		}
	}
	romeo.ping()
	gate.Send("<message from='a@gate.home.test' to='juliet@home.test/x'><body>last</body></message>")
	got := juliet.Until("last</body>")
	if strings.Contains(got, "from='juliet@home.test'") || strings.Contains(got, "from='home.test'") || strings.Contains(got, "<message xmlns='jabber:client' from='juliet") {
		t.Errorf("in her own name: %q", got)
	}
	for part := range strings.SplitSeq(got, "<message ") {
		start, _, _ := strings.Cut(part, ">")
		if strings.Contains(part, "forged") && !strings.Contains(start, "xmlns='jabber:client'") &&
			!strings.Contains(start, "from='romeo@home.test/x'") && !strings.Contains(start, "from='a@gate.home.test'") {
			t.Errorf("forged by nobody: %q", part)
		}
	}
	if seen := juliet.ask("set", "", "<query xmlns='urn:xmpp:mam:2'/>"); strings.Contains(seen, "from='nurse@home.test/x' to='juliet@home.test'><body>forged</body></message></forwarded></result></forwarded>") {
		t.Errorf("archived as nurse's: %q", seen)
	}
}

// CVE-2016-9928, CVE-2019-16236, CVE-2014-0364: no roster is changed or pushed by others.
func TestCVE_2019_16236_RosterOfOthers(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	juliet, romeo, gate := p.online("juliet"), p.online("romeo"), p.attached()
	juliet.ask("get", "", "<query xmlns='jabber:iq:roster'/>") // now she gets pushes
	evil := "<query xmlns='jabber:iq:roster'><item jid='evil@away.test' subscription='both'/></query>"
	for _, to := range []string{"juliet@home.test", "juliet@home.test/x"} {
		for _, kind := range []string{"set", "result"} {
			romeo.Send("<iq type='" + kind + "' id='r' to='" + to + "'>" + evil + "</iq>")
			gate.Send("<iq type='" + kind + "' id='g' from='gate.home.test' to='" + to + "'>" + evil + "</iq>")
			gate.Send("<iq type='" + kind + "' id='g' from='juliet@gate.home.test' to='" + to + "'>" + evil + "</iq>")
		}
		romeo.Send("<message to='" + to + "'><x xmlns='jabber:x:roster'><item jid='evil@away.test'/></x></message>")
	}
	romeo.ping()
	gate.Send("<message from='gate.home.test' to='juliet@home.test/x'><body>last</body></message>")
	got := juliet.Until("last</body>") // answers may come to what was never asked, but not in her name or the server's
	if strings.Contains(got, "type='set'") || strings.Contains(got, "from='juliet@home.test'") || strings.Contains(got, "from='home.test'") {
		t.Errorf("got %q", got)
	}
	if got := juliet.ask("get", "", "<query xmlns='jabber:iq:roster'/>"); strings.Contains(got, "evil") {
		t.Errorf("roster %q", got)
	}
}

// CVE-2009-1595 and -1596: a password is changed by whom it belongs to.
func TestCVE_2009_1595_PasswordOfOthers(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{server: "register = true"})
	romeo := p.online("romeo")
	for _, name := range []string{"juliet", "JULIET", "juliet@home.test", "ju\u00adliet", "", "romeo/../juliet"} {
		for _, to := range []string{"", "home.test", "juliet@home.test"} {
			got := romeo.ask("set", to, "<query xmlns='jabber:iq:register'><username>"+name+"</username><password>mine</password></query>")
			if !strings.Contains(got, "type='error'") {
				t.Errorf("%q at %q: %q", name, to, got)
			}
		}
	}
	// Neither is it by somebody who is not logged in.
	c := p.encrypted()
	c.Send("<iq type='set' id='asked'><query xmlns='jabber:iq:register'><username>juliet</username><password>mine</password></query></iq>")
	if got := c.Until("</iq>"); !strings.Contains(got, "<conflict ") {
		t.Errorf("got %q", got)
	}
	p.loggedIn("juliet")
}

// OF-2838 and OF-2839: nobody writes another's vCard or private data.
func TestOF2838_VCardOfOthers(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	juliet, romeo, gate := p.online("juliet"), p.online("romeo"), p.attached()
	card := "<vCard xmlns='vcard-temp'><FN>evil</FN></vCard>"
	for _, to := range []string{"juliet@home.test", "JULIET@home.test", "home.test"} {
		if got := romeo.ask("set", to, card); !strings.Contains(got, "type='error'") {
			t.Errorf("%s: %q", to, got)
		}
		if got := romeo.ask("set", to, "<query xmlns='jabber:iq:private'><a xmlns='urn:a'>evil</a></query>"); to != "home.test" && !strings.Contains(got, "type='error'") {
			t.Errorf("%s: %q", to, got)
		}
	}
	gate.Send("<iq type='set' id='asked' from='juliet@gate.home.test' to='juliet@home.test'>" + card + "</iq>")
	if got := gate.Until("</iq>"); !strings.Contains(got, "type='error'") {
		t.Errorf("got %q", got)
	}
	if got := juliet.ask("get", "", "<vCard xmlns='vcard-temp'/>") + juliet.ask("get", "", "<query xmlns='jabber:iq:private'><a xmlns='urn:a'/></query>"); strings.Contains(got, "evil") {
		t.Errorf("now %q", got)
	}
}

// OF-3072: who may not see somebody's presence cannot report whether they are online, away, or do not exist. Accounts
// of this server ask each other's sessions, unless that is turned off.
func TestOF3072_ProbesWithoutSubscription(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{server: "private_sessions = true"})
	p.online("juliet")
	romeo := p.online("romeo")
	see := func(local string) string {
		var all strings.Builder
		for _, resource := range []string{"", "/x", "/none"} {
			to := local + "@home.test" + resource
			romeo.Send("<presence type='probe' to='" + to + "'/>")
			for _, payload := range []string{
				"<query xmlns='jabber:iq:version'/>", "<query xmlns='jabber:iq:last'/>", "<ping xmlns='urn:xmpp:ping'/>", "<query xmlns='http://jabber.org/protocol/disco#info'/>",
			} {
				all.WriteString(romeo.ask("get", to, payload))
			}
			all.WriteString(romeo.ping())
		}
		return strings.ReplaceAll(all.String(), local, "somebody")
	}
	online, away, nobody := see("juliet"), see("nurse"), see("nobody")
	if online != away || away != nobody {
		t.Errorf("online %q\naway   %q\nnobody %q", online, away, nobody)
	}
}

// CVE-2024-25420 and -25421: an account that is made anew has nothing of the one that was deleted.
func TestCVE_2024_25420_NothingAfterDeletion(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{server: "register = true"})
	juliet, romeo := p.online("juliet"), p.online("romeo")
	for _, set := range []string{
		"<query xmlns='jabber:iq:roster'><item jid='juliet@home.test' name='left behind'/></query>", "<vCard xmlns='vcard-temp'><FN>left behind</FN></vCard>",
		"<query xmlns='jabber:iq:private'><a xmlns='urn:a'>left behind</a></query>", "<prefs xmlns='urn:xmpp:mam:2' default='always'><always><jid>left@behind.test</jid></always><never/></prefs>",
	} {
		if got := romeo.ask("set", "", set); !strings.Contains(got, "type='result'") {
			t.Fatalf("%s: %q", set, got)
		}
	}
	romeo.Send("<presence type='subscribe' to='juliet@home.test'/><message type='chat' to='juliet@home.test'><body>left behind</body></message>")
	juliet.Until("type='subscribe'")
	juliet.Send("<presence type='subscribed' to='romeo@home.test'/>")
	juliet.ping()
	romeo.Send("<iq type='set' id='gone'><query xmlns='jabber:iq:register'><remove/></query></iq>")
	if got := romeo.rest(); !strings.Contains(got, "id='gone'") {
		t.Fatalf("answered %q", got)
	}
	juliet.Send("<message type='chat' to='romeo@home.test'><body>left behind</body></message>")
	juliet.ping()
	p.gone("romeo")
	p.account("romeo")
	again := p.online("romeo")
	got := again.ping()
	for _, get := range []string{
		"<query xmlns='jabber:iq:roster'/>", "<vCard xmlns='vcard-temp'/>", "<query xmlns='jabber:iq:private'><a xmlns='urn:a'/></query>", "<prefs xmlns='urn:xmpp:mam:2'/>",
	} {
		got += again.ask("get", "", get)
	}
	again.Send("<iq type='set' id='asked'><query xmlns='urn:xmpp:mam:2'/></iq>")
	got += again.Until("id='asked'") + again.upToIQ()
	if strings.Contains(got, "left behind") || strings.Contains(got, "behind.test") || strings.Contains(got, "juliet") {
		t.Errorf("left behind: %q", got)
	}
	// Juliet's permission went too.
	quietly(t, juliet, "from='romeo@home.test/x'")
	again.Send("<presence type='probe' to='juliet@home.test'/>")
	quietly(t, again, "from='juliet@home.test/x'")
}

// CVE-2020-8086: rights are those of an address, not of a user name anywhere.
func TestCVE_2020_8086_SameNameElsewhere(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{server: "admins = [\"romeo@home.test\"]"})
	juliet, gate := p.online("juliet"), p.attached()
	if got := juliet.ask("set", "", "<vCard xmlns='vcard-temp'><FN>Juliet</FN></vCard>"); !strings.Contains(got, "type='result'") {
		t.Fatal(got)
	}
	for _, payload := range []string{
		"<query xmlns='jabber:iq:roster'/>", "<query xmlns='jabber:iq:private'><a xmlns='urn:a'/></query>", "<query xmlns='urn:xmpp:mam:2'/>", "<enable xmlns='urn:xmpp:carbons:2'/>",
		"<query xmlns='jabber:iq:register'><remove/></query>",
	} {
		for _, kind := range []string{"get", "set"} {
			for _, to := range []string{"juliet@home.test", "home.test"} {
				gate.Send("<iq type='" + kind + "' id='asked' from='juliet@gate.home.test/x' to='" + to + "'>" + payload + "</iq>")
				if got := gate.Until("</iq>"); !strings.Contains(got, "type='error'") {
					t.Errorf("%s to %s: %q", payload, to, got)
				}
			}
		}
	}
	p.loggedIn("juliet")
}
