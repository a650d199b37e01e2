package notification

import (
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

var (
	lobby = jid.MustParse("lobby@rooms.example.org")
	alice = jid.MustParse("alice@example.org")
	bob   = jid.MustParse("bob@example.org")
)

// say returns a message of a room.
func say(t testing.TB, inner string) *stanza.Stanza {
	t.Helper()
	e, err := stanza.ParseElement("<message type='groupchat' id='1'>"+inner+"</message>", stanza.NSClient)
	if err != nil {
		t.Fatal(err)
	}
	from, _ := lobby.WithResource("Carol")
	return &stanza.Stanza{Kind: stanza.Message, Type: stanza.TypeGroupchat, ID: "1", From: from, Payload: stanza.Encode(slices.Collect(e.Elements())...)}
}

func body(text string) string {
	return stanza.Encode(stanza.TextElement(stanza.NSClient, "body", text))
}

// XEP-0492 §3: the text; XEP-0513 §3: elements; XEP-0461, XEP-0372.
func TestMentions(t *testing.T) {
	t.Parallel()
	who := Member{Account: alice, Nick: "Alice", OccupantID: "a1", Affiliation: "member"}
	mention := func(attrs, inner string) string {
		return "<mention xmlns='urn:xmpp:mentions:0'" + attrs + ">" + inner + "</mention>"
	}
	group := func(name string) string { return mention(" mentions='urn:xmpp:mentions:0#"+name+"'", "") }
	for _, c := range []struct {
		xml  string
		want bool
	}{
		{body("hello Alice"), true},
		{body("ALICE: come here"), true},
		{body("(alice)"), true},
		{body("@alice!"), true},
		{body("malice"), false},
		{body("alicea"), false},
		{body("alice_2"), false},
		{body("Alicé"), false},
		{body("malice and alice"), true},
		{body("> alice said\nyes"), false},
		{body("hello all"), false},
		{body(""), false},
		{body(strings.Repeat("x", 5000) + " alice"), false}, // too far behind
		{body("hi") + mention(" occupantid='a1'", ""), true},
		{body("hi") + mention(" occupantid='a2'", ""), false},
		{body("alice") + mention(" occupantid='a2'", ""), false}, // explicit ones count alone
		{body("hi") + mention(" occupantid='a1'", "<noping/>"), false},
		{body("hi") + mention(" jid='alice@example.org'", ""), true},
		{body("hi") + mention(" jid='bob@example.org'", ""), false},
		{body("hi") + group("channel"), true},
		{body("hi") + group("member"), true},
		{body("hi") + group("participants"), true},
		{body("hi") + group("moderators"), false},
		{body("hi") + group("owner"), false},
		{body("hi") + group("other"), false},
		{body("hi") + mention(" mentions='urn:xmpp:mentions:0#channel'", "<active/>"), false},
		{body("hi") + mention(" mentions='urn:xmpp:mentions:0#channel' uri='xmpp:other@rooms.example.org'", ""), false},
		{body("hi") + mention(" mentions='urn:xmpp:mentions:0#channel' uri='xmpp:lobby@rooms.example.org'", ""), true},
		{body("hi") + mention(" mentions='urn:xmpp:mentions:0#server' uri='xmpp:example.org'", ""), false},
		{body("hi") + "<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:alice@example.org'/>", true},
		{body("hi") + "<reference xmlns='urn:xmpp:reference:0' type='data' uri='xmpp:alice@example.org'/>", false},
		{body("hi") + "<reply xmlns='urn:xmpp:reply:0' to='lobby@rooms.example.org/Alice' id='x'/>", true},
		{body("hi") + "<reply xmlns='urn:xmpp:reply:0' to='lobby@rooms.example.org/Bob' id='x'/>", false},
		{body("hi") + strings.Repeat(mention(" occupantid='a2'", ""), 100) + mention(" occupantid='a1'", ""), false},
	} {
		if got := readMentions(lobby, say(t, c.xml)).of(who); got != c.want {
			t.Errorf("%.200s: %v", c.xml, got)
		}
	}
	for nick, text := range map[string]string{"Alice Liddell": "dear alice liddell,", "c++": "c++ is here", "⭐": "who is ⭐?", "ÄNNE": "änne?"} {
		if !readMentions(lobby, say(t, body(text))).of(Member{Nick: nick}) {
			t.Errorf("%s is not found in %s", nick, text)
		}
	}
	if readMentions(lobby, say(t, body("anything"))).of(Member{}) {
		t.Error("nobody is mentioned")
	}
	unknown := Member{Account: alice, Nick: "Alice"}
	if !readMentions(lobby, say(t, body("alice")+mention(" occupantid='a1'", ""))).of(unknown) {
		t.Error("an occupant id that is not known leaves the text")
	}
}

func TestNotable(t *testing.T) {
	t.Parallel()
	for xml, want := range map[string]bool{
		body("x"): true, body(""): false, "<subject>x</subject>": false, "<composing xmlns='http://jabber.org/protocol/chatstates'/>": false,
		"<encrypted xmlns='urn:xmpp:omemo:2'/>": true, body("x") + "<replace xmlns='urn:xmpp:message-correct:0' id='1'/>": false,
		body("x") + "<retract xmlns='urn:xmpp:message-retract:1' id='1'/>": false, "<reactions xmlns='urn:xmpp:reactions:0' id='1'/>" + body("x"): false,
	} {
		if got := Notable(say(t, xml)); got != want {
			t.Errorf("%s: %v", xml, got)
		}
	}
}

// XEP-0492 §3: the most specific element counts.
func TestParseBookmark(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]Setting{
		"": "", "<never/>": Never, "<always/>": Always, "<on-mention/>": OnMention, "<other/>": "",
		"<always/><on-mention identity-category='client' identity-type='phone'/>":                                    OnMention,
		"<always/><never identity-category='client' identity-type='pc'/>":                                            Always,
		"<never/><always identity-category='client'/>":                                                               Always,
		"<never identity-category='client'/><on-mention identity-category='client' identity-type='phone'/><always/>": OnMention,
		"<never identity-type='phone'/><always/>":                                                                    Always,
		"<never identity-category='gateway'/>":                                                                       "",
		"<always/><never/>":                                                                                          Never,
		"<always><advanced><x xmlns='custom'/></advanced></always>":                                                  Always,
	} {
		b, ok := ParseBookmark("<conference xmlns='urn:xmpp:bookmarks:1' autojoin='1'><nick>Al</nick><extensions><notify xmlns='urn:xmpp:notification-settings:1'>" + settings + "</notify></extensions></conference>")
		if !ok || b.For(Phone) != want || b.Nick != "Al" || !b.Autojoin {
			t.Errorf("%s: %+v %v", settings, b, ok)
		}
	}
	for _, bad := range []string{"", "<", "<conference/>", "<x xmlns='urn:xmpp:bookmarks:1'/>"} {
		if _, ok := ParseBookmark(bad); ok {
			t.Errorf("%q is a bookmark", bad)
		}
	}
	if b, _ := ParseBookmark("<conference xmlns='urn:xmpp:bookmarks:1'><nick>" + strings.Repeat("n", 2000) + "</nick></conference>"); b.Nick != "" || b.Autojoin {
		t.Errorf("%+v", b)
	}
}

// The cost of looking for a nickname does not grow with the length of the message beyond a bound.
func FuzzMentions(f *testing.F) {
	f.Add("hello alice", "alice")
	f.Add("c++", "c++")
	f.Add("\xff", "ÿ")
	f.Fuzz(func(t *testing.T, text, nick string) {
		st := &stanza.Stanza{Kind: stanza.Message, Type: stanza.TypeGroupchat, From: lobby, Payload: stanza.Encode(stanza.TextElement(stanza.NSClient, "body", text))}
		readMentions(lobby, st).of(Member{Nick: nick})
	})
}

// XEP-0492 §2.2: the settings of clients of other identities than phones.
func TestSettingsByIdentity(t *testing.T) {
	t.Parallel()
	const settings = "<never identity-category='client' identity-type='pc'/><on-mention identity-category='client'/><never/><always identity-category='gateway'/>" +
		"<always identity-category='client' identity-type='phone'/>"
	b, ok := ParseBookmark("<conference xmlns='urn:xmpp:bookmarks:1'><extensions><notify xmlns='urn:xmpp:notification-settings:1'>" + settings + "</notify></extensions></conference>")
	if !ok {
		t.Fatal("no bookmark")
	}
	for text, want := range map[string]struct {
		setting            Setting
		unnamed, mentioned bool
	}{
		"client/phone": {Always, true, true}, "": {Always, true, true}, "client/pc": {Never, false, false}, "client/web": {OnMention, false, true},
		"client/": {OnMention, false, true}, "gateway/sms": {Always, true, true}, "automation/x": {Never, false, false},
	} {
		id := ParseIdentity(text)
		if got := b.For(id); got != want.setting {
			t.Errorf("%s: %s", text, got)
		}
		for mentioned, by := range map[bool]bool{false: want.unnamed, true: want.mentioned} {
			w := b.wanted(Always, func() bool { return mentioned })
			if w.By(id) != by || !w.Some() {
				t.Errorf("%s, mentioned %v: %v", text, mentioned, !by)
			}
		}
	}
	if (Wanted{}).By(Phone) || (Wanted{}).Some() {
		t.Error("the zero value notifies")
	}
	for _, id := range []Identity{{}, {Type: "pc"}, {strings.Repeat("x", 65), ""}, {"client", strings.Repeat("x", 65)}, {"a/b", "c"}} {
		if id.String() != "" {
			t.Errorf("%v is kept", id)
		}
	}
	many := strings.Repeat("<never identity-category='client' identity-type='pc'/>", 100)
	if b, _ := ParseBookmark("<conference xmlns='urn:xmpp:bookmarks:1'><extensions><notify xmlns='urn:xmpp:notification-settings:1'>" + many + "</notify></extensions></conference>"); len(b.Specific) != maxSpecific {
		t.Errorf("%d settings are kept", len(b.Specific))
	}
}
