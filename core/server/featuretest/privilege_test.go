package featuretest

import (
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/jid"
)

func by(from, xml string) string {
	return strings.Replace(xml, "<iq", "<iq from='"+from+"'", 1)
}

// XEP-0356 §4
func TestPrivilegedRoster(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	alice := s.online(alicePC)
	s.gateway.sends(by("gw.example.org", ask("set", "1", aliceBare, `<query xmlns='jabber:iq:roster'><item jid='u1@gw.example.org' name='Pat' subscription='both'><group>Slack</group></item></query>`)))
	alice.gets(push(`<item jid='u1@gw.example.org' name='Pat' subscription='both'><group>Slack</group></item>`))
	s.gateway.gets(presenceOf("", alicePC, "u1@gw.example.org"), presenceOf("probe", aliceBare, "u1@gw.example.org"), result("1"))
	// For others' contacts it has no more rights than the user.
	s.gateway.sends(by("gw.example.org", ask("set", "2", aliceBare, `<query xmlns='jabber:iq:roster'><item jid='romeo@remote.example' subscription='both'/></query>`)),
		by("gw.example.org", ask("get", "3", aliceBare, `<query xmlns='jabber:iq:roster'/>`)))
	alice.gets(push(`<item jid='romeo@remote.example' subscription='none'/>`))
	s.gateway.gets(result("2"), `<iq type='result' id='3'><query xmlns='jabber:iq:roster'><item jid='romeo@remote.example'/><item jid='u1@gw.example.org'/></query></iq>`)
	s.remote.gets()
	s.gateway.sends(by("gw.example.org", ask("set", "4", aliceBare, `<query xmlns='jabber:iq:roster'><item jid='u1@gw.example.org' subscription='to'/></query>`)))
	alice.gets(push(`<item jid='u1@gw.example.org' name='-' subscription='to'/>`))
	s.gateway.gets(presenceOf("unavailable", alicePC, "u1@gw.example.org"), result("4"))
	s.gateway.sends(by("gw.example.org", ask("set", "5", aliceBare, `<query xmlns='jabber:iq:roster'><item jid='u1@gw.example.org' subscription='odd'/></query>`)),
		by("gw.example.org", ask("set", "6", "nobody@example.org", `<query xmlns='jabber:iq:roster'><item jid='u1@gw.example.org'/></query>`)),
		by("gw.example.org", ask("set", "7", aliceBare, `<query xmlns='jabber:iq:roster'><item jid='u1@gw.example.org' subscription='remove'/></query>`)))
	alice.gets(push(`<item jid='u1@gw.example.org' subscription='remove'/>`))
	s.gateway.gets(fails("iq", "5", "bad-request"), fails("iq", "6", "service-unavailable"), presenceOf("unsubscribe", aliceBare, "u1@gw.example.org"), result("7"))
}

// A request that waited is answered by the privileged entity's word.
func TestPrivilegedRosterEndsRequest(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	s.gateway.sends(presenceOf("subscribe", "u1@gw.example.org", aliceBare),
		by("gw.example.org", ask("set", "1", aliceBare, `<query xmlns='jabber:iq:roster'><item jid='u1@gw.example.org' subscription='both'/></query>`)))
	s.gateway.gets(result("1"))
	alice := s.login(alicePC)
	alice.sends(`<presence/>`)
	alice.gets(presenceOf("", alicePC, aliceBare))
}

// XEP-0356 §4.3: nobody else
func TestUnprivilegedRoster(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	s.put(aliceBare, romeo, roster.Item{Subscription: roster.Both})
	other := &entity{t: t, s: s}
	if err := s.router.Attach(jid.MustParse("other.example.org"), other); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{"u1@gw.example.org", "gw.example.org/x", "other.example.org", "remote.example", bobDesk} {
		for _, typ := range []string{"get", "set"} {
			s.remote.sends(by(from, ask(typ, "1", aliceBare, `<query xmlns='jabber:iq:roster'><item jid='m@b.c'/></query>`)))
		}
	}
	s.router.Detach(gateway) // another server that claims the gateway's name
	s.remote.sends(by("gw.example.org", ask("get", "1", aliceBare, `<query xmlns='jabber:iq:roster'/>`)))
	refused := fails("iq", "1", "forbidden") // RFC 6121 §2.1.5
	s.gateway.gets(refused, refused, refused, refused)
	other.gets(refused, refused)
	s.remote.gets(refused, refused, refused)
	if items, _, err := s.store.Roster(t.Context(), jid.MustParse(aliceBare), ""); len(items) != 1 || err != nil {
		t.Error(items, err)
	}
}

// XEP-0356 §4.3: one that has another privilege only is told so.
func TestOtherwisePrivilegedRoster(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	other := &entity{t: t, s: s}
	s.attach(notifier, other)
	for _, typ := range []string{"get", "set"} {
		s.remote.sends(by(notifier.String(), ask(typ, "1", aliceBare, `<query xmlns='jabber:iq:roster'><item jid='m@b.c'/></query>`)))
		other.gets(fails("iq", "1", "forbidden"))
	}
	if items, _, err := s.store.Roster(t.Context(), jid.MustParse(aliceBare), ""); len(items) != 0 || err != nil {
		t.Error(items, err)
	}
}

// XEP-0356 §5
func TestPrivilegedMessage(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	bob := s.online(bobDesk)
	wrap := func(from, inner string) string {
		return `<message id='w' from='` + from + `' to='example.org'><privilege xmlns='urn:xmpp:privilege:2'><forwarded xmlns='urn:xmpp:forward:0'>` + inner + `</forwarded></privilege></message>`
	}
	msg := func(from string) string {
		return `<message xmlns='jabber:client' id='m' type='chat' from='` + from + `' to='bob@example.org'><body>hi</body><x xmlns='urn:x'/></message>`
	}
	s.gateway.sends(wrap("gw.example.org", msg(aliceBare)), wrap("gw.example.org", msg("example.org")), wrap("gw.example.org", msg("nobody@example.org")))
	bob.gets(`<message id='m' type='chat' from='alice@example.org' to='bob@example.org'><body>hi</body><x xmlns='urn:x'/></message>`,
		`<message id='m' type='chat' from='example.org' to='bob@example.org'><body>hi</body></message>`,
		`<message id='m' type='chat' from='nobody@example.org' to='bob@example.org'><body>hi</body></message>`)
	s.gateway.gets()
	for _, c := range []struct{ from, inner, condition string }{
		{"gw.example.org", msg(alicePC), "forbidden"},
		{"gw.example.org", msg("alice@remote.example"), "forbidden"},
		{"gw.example.org", msg("u1@gw.example.org"), "forbidden"},
		{"gw.example.org", `<message xmlns='jabber:client' to='bob@example.org'/>`, "forbidden"},
		{"gw.example.org", `<message xmlns='jabber:client' from='alice@example.org'/>`, "jid-malformed"},
		{"gw.example.org", `<presence xmlns='jabber:client' from='alice@example.org' to='bob@example.org'/>`, "bad-request"},
		{"u1@gw.example.org", msg(aliceBare), "forbidden"},
	} {
		s.gateway.sends(wrap(c.from, c.inner))
		s.gateway.gets(fails("message", "w", c.condition))
	}
	s.remote.sends(wrap("remote.example", msg(aliceBare)))
	s.remote.gets(fails("message", "w", "forbidden"))
	bob.sends(wrap(bobDesk, msg(aliceBare)))
	bob.gets(fails("message", "w", "forbidden"))
}
