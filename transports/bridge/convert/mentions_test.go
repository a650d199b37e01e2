package convert

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
	"github.com/dragoman-im/dragoman/transports/textcheck"
)

var ann = richtext.Node{Kind: richtext.Mention, ID: "u1", Text: "Ann"}

func inRoom() Mentioned {
	return Mentioned{
		Addresses: Addresses{Domain: jid.MustParse("net.example.org")},
		Address:   func(user transports.UserID, name string) string { return "r@net.example.org/" + name + " B" },
	}
}

// A message refers to whom it mentions, behind the quotation of what it answers (XEP-0372 §3.2, XEP-0513 §3.1).
func TestMentionsAreReferences(t *testing.T) {
	t.Parallel()
	m := transports.Message{Text: richtext.Text{{Text: "hé "}, ann, {Text: ", "}, {Kind: richtext.All, Text: "here"}}}
	content := Message(m, MessageText(m, 1000), &Quoted{ID: "1", Text: "q"}, "", inRoom())
	st := stanza.NewMessage(jid.JID{}, jid.JID{}, stanza.TypeGroupchat, content...)
	for _, want := range []string{
		"<body>&gt; q\nhé @Ann, @here</body>",
		"<reference xmlns='urn:xmpp:reference:0' type='mention' begin='7' end='11' uri='xmpp:r@net.example.org/Ann%20B'/>",
		"<mention xmlns='urn:xmpp:mentions:0' begin='7' end='11' occupantid='" + inRoom().Addresses.Occupant("u1", "") + "'/>",
		"<mention xmlns='urn:xmpp:mentions:0' mentions='urn:xmpp:mentions:0#channel' begin='13' end='18'><active/></mention>",
	} {
		if !strings.Contains(st.Payload, want) {
			t.Errorf("%s is not in %s", want, st.Payload)
		}
	}
	direct := Mentioned{Direct: true, Address: func(transports.UserID, string) string { return "me@example.org" }}
	st = stanza.NewMessage(jid.JID{}, jid.JID{}, stanza.TypeChat, Message(m, MessageText(m, 1000), nil, "", direct)...)
	if !strings.Contains(st.Payload, "<mention xmlns='urn:xmpp:mentions:0' begin='3' end='7' jid='me@example.org'/>") || strings.Contains(st.Payload, "#channel") {
		t.Error(st.Payload)
	}
	many := transports.Message{Text: richtext.Text{}}
	for range 10 * maxMentions {
		many.Text = append(many.Text, ann)
	}
	st = stanza.NewMessage(jid.JID{}, jid.JID{}, stanza.TypeChat, Message(many, MessageText(many, 100000), nil, "", direct)...)
	if n := strings.Count(st.Payload, "<reference"); n != maxMentions {
		t.Errorf("%d references", n)
	}
}

// What has a meaning in a text is described beside it (XEP-0394 §4), without overlaps.
func TestMarkupBesideStyling(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"plain @x https://e.org": "",
		"a *b* _c_ `d`\n~e~":     "<span start='2' end='5'><strong/></span><span start='6' end='9'><emphasis/></span><span start='10' end='13'><code/></span><span start='14' end='17'><deleted/></span>",
		"*a _b_*":                "<span start='0' end='3'><strong/></span><span start='3' end='6'><strong/><emphasis/></span><span start='6' end='7'><strong/></span>",
		"> q\n> > r *s*\nt":      "<span start='10' end='13'><strong/></span><bquote start='0' end='13'/><bquote start='4' end='13'/>",
		"x\n```go\ny\n```":       "<bcode start='2' end='13' language='go'/>",
	} {
		rendered := Text(richtext.ParseStyling(body), nil, 1000)
		got := ""
		if x := rendered.markup(); x != nil {
			got = strings.TrimSuffix(strings.TrimPrefix(stanza.Encode(x), "<markup xmlns='urn:xmpp:markup:0'>"), "</markup>")
		}
		if got != want || rendered.Text != body {
			t.Errorf("%q is described as %s, want %s", body, got, want)
		}
	}
	item := func(t ...richtext.Node) richtext.Node { return richtext.Node{Kind: richtext.Item, Children: t} }
	list := richtext.Text{{Kind: richtext.List, Level: 1, Children: richtext.Text{
		item(richtext.Node{Text: "a"}, richtext.Node{Kind: richtext.List, Children: richtext.Text{item(richtext.Node{Text: "b"})}}), item(richtext.Node{Text: "c"}),
	}}}
	if got, want := stanza.Encode(Text(list, nil, 1000).markup()), "<markup xmlns='urn:xmpp:markup:0'>"+
		"<list start='0' end='16' ordered='true'><li start='0'/><li start='12'/></list><list start='5' end='11' ordered='false'><li start='5'/></list></markup>"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// The ranges of a text do not change it, and are within it, wherever it is cut.
func TestRangesAreWithinTheText(t *testing.T) {
	t.Parallel()
	for _, body := range textcheck.Bodies() {
		parsed := richtext.ParseStyling(body)
		for _, limit := range []int{5, 20, 10000} {
			rendered := Text(parsed, nil, limit)
			if limit == 10000 && rendered.Text != parsed.Styling() && rendered.Text != "(empty message)" && !strings.Contains(body, "\x02") {
				t.Errorf("%q with ranges is %q, without %q", body, rendered.Text, parsed.Styling())
			}
			for _, p := range rendered.behind("> x\n").Ranges {
				if p.Begin < 4 || p.End > 4+utf8.RuneCountInString(rendered.Text) || p.Begin >= p.End {
					t.Errorf("%q: %v in %q", body, p, rendered.Text)
				}
			}
		}
	}
}

// A reference makes a mention of what it points to; what is in code stays what it is, and so does what points to nobody or nowhere.
func TestReferencesAreMentions(t *testing.T) {
	t.Parallel()
	who := func(to Referred) (transports.UserID, bool) {
		known := map[Referred]transports.UserID{
			{Address: "ann@net.example.org"}: "u1", {Address: "r@net.example.org/Ann B"}: "u1", {Occupant: "o1"}: "u1", {Nick: "Ann B"}: "u1",
		}
		user, ok := known[to]
		return user, ok
	}
	reference := func(uri string, begin, end string) *stanza.Element {
		return stanza.NewElement(NSReference, "reference").With("type", "mention").With("uri", uri).With("begin", begin).With("end", end)
	}
	quoted := stanza.NewElement(NSFallback, "fallback").With("for", NSReply).Add(stanza.NewElement(NSFallback, "body").With("start", "0").With("end", "4"))
	mention := func(text string) richtext.Node { return richtext.Node{Kind: richtext.Mention, ID: "u1", Text: text} }
	plain := func(text string) richtext.Node { return richtext.Node{Text: text} }
	for name, tc := range map[string]struct {
		body string
		with []*stanza.Element
		want richtext.Text
		text string
	}{
		"account":         {"hi Ann!", []*stanza.Element{reference("xmpp:ann@net.example.org", "3", "6")}, richtext.Text{plain("hi "), mention("Ann"), plain("!")}, "hi Ann!"},
		"occupant":        {"@Ann B", []*stanza.Element{reference("xmpp:r@net.example.org/Ann%20B", "0", "6")}, richtext.Text{mention("@Ann B")}, "@Ann B"},
		"occupant id":     {"é Ann", []*stanza.Element{stanza.NewElement(NSMentions, "mention").With("occupantid", "o1").With("begin", "2").With("end", "5")}, richtext.Text{plain("é "), mention("Ann")}, "é Ann"},
		"behind a quote":  {"> q\nhi Ann", []*stanza.Element{stanza.NewElement(NSReply, "reply").With("id", "1"), quoted, reference("xmpp:ann@net.example.org", "7", "10")}, richtext.Text{plain("hi "), mention("Ann")}, "hi Ann"},
		"nickname":        {"Ann B: hi", nil, richtext.Text{mention("Ann B"), plain(": hi")}, "Ann B: hi"},
		"no nickname":     {"Ann: hi", nil, richtext.Text{plain("Ann: hi")}, "Ann: hi"},
		"in code":         {"`Ann` x", []*stanza.Element{reference("xmpp:ann@net.example.org", "1", "4")}, richtext.Text{{Kind: richtext.Code, Text: "Ann"}, plain(" x")}, "`Ann` x"},
		"in an address":   {"http://Ann/x", []*stanza.Element{reference("xmpp:ann@net.example.org", "7", "10")}, richtext.Text{{Kind: richtext.Link, URL: "http://Ann/x"}}, "http://Ann/x"},
		"nobody":          {"hi Bob", []*stanza.Element{reference("xmpp:bob@net.example.org", "3", "6")}, richtext.Text{plain("hi Bob")}, "hi Bob"},
		"nowhere":         {"hi", []*stanza.Element{reference("xmpp:ann@net.example.org", "3", "99"), reference("xmpp:ann@net.example.org", "-1", "1"), reference("xmpp:ann@net.example.org", "x", "")}, richtext.Text{plain("hi")}, "hi"},
		"twice the place": {"hi Ann", []*stanza.Element{reference("xmpp:ann@net.example.org", "3", "6"), stanza.NewElement(NSMentions, "mention").With("occupantid", "o1").With("begin", "3").With("end", "6")}, richtext.Text{plain("hi "), mention("Ann")}, "hi Ann"},
	} {
		st := stanza.NewMessage(jid.JID{}, jid.JID{}, stanza.TypeGroupchat, append([]*stanza.Element{Body(tc.body)}, tc.with...)...)
		info := transports.Info{Caps: transports.Caps{MessageCaps: transports.MessageCaps{Reply: true}}}
		r, err := Parser{Info: info, MaxText: 1000, Who: who}.Parse(st, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(tc.want, r.Parts[0]); d != "" || r.Text != tc.text {
			t.Errorf("%s: %q %s", name, r.Text, d)
		}
	}
}

// Everybody is alerted where the sender may and asks for it by an element at a word that says so; no word vanishes.
func TestMentionOfAll(t *testing.T) {
	t.Parallel()
	ask := func(begin, end string, more ...*stanza.Element) *stanza.Element {
		return stanza.NewElement(NSMentions, "mention").With("mentions", NSMentions+"#channel").With("begin", begin).With("end", end).Add(more...)
	}
	all := func(text, written string) richtext.Node {
		return richtext.Node{Kind: richtext.All, Text: text, ID: written}
	}
	plain := func(text string) richtext.Node { return richtext.Node{Text: text} }
	for name, tc := range map[string]struct {
		body string
		may  bool
		with *stanza.Element
		want richtext.Text
	}{
		"asked":        {"@all: tea", true, ask("0", "4"), richtext.Text{all("channel", "@all"), plain(": tea")}},
		"the active":   {"tea, Here!", true, ask("5", "9", stanza.NewElement(NSMentions, "active")), richtext.Text{plain("tea, "), all("here", "Here"), plain("!")}},
		"not allowed":  {"@all: tea", false, ask("0", "4"), richtext.Text{plain("@all: tea")}},
		"not asked":    {"@all @here @everyone", true, stanza.NewElement("x", "y"), richtext.Text{plain("@all @here @everyone")}},
		"another word": {"tea for two", true, ask("0", "3"), richtext.Text{plain("tea for two")}},
		"in code":      {"`@here`", true, ask("1", "6"), richtext.Text{{Kind: richtext.Code, Text: "@here"}}},
		"nowhere":      {"@all", true, ask("2", "99"), richtext.Text{plain("@all")}},
	} {
		st := stanza.NewMessage(jid.JID{}, jid.JID{}, stanza.TypeGroupchat, Body(tc.body), tc.with)
		nobody := func(Referred) (transports.UserID, bool) { return "", false }
		r, err := Parser{MaxText: 1000, Who: nobody, All: tc.may}.Parse(st, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(tc.want, r.Parts[0]); d != "" || r.Text != tc.body {
			t.Errorf("%s: %q %s", name, r.Text, d)
		}
	}
}
