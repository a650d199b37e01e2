package stanza

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-im/dragoman/core/jid"
)

var (
	alice = jid.MustParse("alice@example.org/x")
	bob   = jid.MustParse("bob@example.org")
)

func TestTreeAndChildren(t *testing.T) {
	t.Parallel()
	s := &Stanza{
		Kind: Message, To: bob, From: alice, ID: "i'1", Type: TypeChat, Lang: "en", Extra: " xmlns:p='urn:p' p:q='1'",
		Payload: `<body>a &lt; b &#x41;<![CDATA[<c>]]></body><p:x y="&quot;&amp;"><z xmlns='urn:z'/></p:x><body xml:lang='de'>zwei</body>`,
	}
	root := s.Tree()
	if root != s.Tree() {
		t.Error("the tree is built twice")
	}
	if got := s.Body(); got != "a < b A<c>" {
		t.Errorf("body %q", got)
	}
	x := s.Child("urn:p", "x")
	if x.Attr("y") != `"&` || x.Child("urn:z", "z") == nil {
		t.Errorf("prefixed child %v", x)
	}
	if v, _ := root.LookupAttr("urn:p", "q"); v != "1" || root.Attr("q") != "" || root.Attr("id") != "i'1" {
		t.Error("attributes of the start tag")
	}
	want := `<message to='bob@example.org' from='alice@example.org/x' id='i&apos;1' type='chat' xml:lang='en'` + s.Extra + `>` + s.Payload + `</message>`
	if got := s.String(); got != want {
		t.Error(cmp.Diff(want, got))
	}
	n := 0
	for range root.Named("", "body") {
		n++
	}
	if n != 2 {
		t.Errorf("%d bodies", n)
	}
}

func TestWithoutKeepsBytes(t *testing.T) {
	t.Parallel()
	s := &Stanza{Kind: Message, To: bob, Payload: "<a  xmlns = 'urn:a'/> <body>x</body><a xmlns='urn:a'>1<b/></a><c/>"}
	got := s.Without(func(e *Element) bool { return e.Space == "urn:a" })
	if got.Payload != " <body>x</body><c/>" {
		t.Errorf("payload %q", got.Payload)
	}
	if s.Without(func(*Element) bool { return false }) != s {
		t.Error("Without copies a stanza from which it removes nothing")
	}
}

func TestMayHave(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		extra, payload string
		want           bool
	}{
		{"", "<body>delay</body>", false},
		{"", "<x xmlns='urn:xmpp:delay'/>", true}, // a false positive: the local name is part of the namespace
		{"", "<x xmlns='urn:xmpp:sid:0'/>", false},
		{"", "<delay xmlns='urn:xmpp:delay'/>", true},
		{"", "<delay xmlns='urn:xmpp&#58;delay'/>", true},
		{"", "<delay xmlns='&#x75;rn:xmpp:delay'/>", true},
		{" xmlns:d='urn:xmpp:delay'", "<d:delay/>", true},
		{" xmlns:d='urn:xmpp&#58;delay'", "<d:delay/>", true},
		{" xmlns:d='urn:other'", "<d:delay/>", false},
	} {
		if got := (&Stanza{Extra: c.extra, Payload: c.payload}).MayHave("urn:xmpp:delay", "delay"); got != c.want {
			t.Errorf("%s %s: %v", c.extra, c.payload, got)
		}
	}
}

func TestReplies(t *testing.T) {
	t.Parallel()
	iq := NewIQ(bob, alice, TypeGet, NewElement("urn:q", "query"))
	r := iq.ErrorReply(ItemNotFound("look <elsewhere>"))
	want := `<iq to='alice@example.org/x' from='bob@example.org' id='` + iq.ID + `' type='error'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>look &lt;elsewhere&gt;</text></error></iq>`
	if r.String() != want {
		t.Error(cmp.Diff(want, r.String()))
	}
	if e := r.Err(); e.Condition != "item-not-found" || e.Text != "look <elsewhere>" || e.Type != "cancel" {
		t.Errorf("%+v", e)
	}
	if r.ErrorReply(BadRequest("")) != nil || iq.Result().ErrorReply(BadRequest("")) != nil {
		t.Error("ErrorReply answers an error or a result")
	}
}

func TestEncodeParsesBack(t *testing.T) {
	t.Parallel()
	e := NewElement("urn:a", "a").With("k", "1<2'\"&\x00\xff").Add(
		NewElement("", "inherits"), TextElement(NSClient, "body", "x\r\ny\ufffe"), NewElement("urn:b", "b").Add(NewElement("urn:a", "c")))
	e.Attrs = append(e.Attrs, Attr{Space: "urn:attr", Local: "q", Value: "v"}, Attr{Space: NSXML, Local: "lang", Value: "en"})
	text := e.String()
	if err := xml.Unmarshal([]byte(text), new(struct{})); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	back, err := ParseElement(text, "")
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseElement(back.String(), "")
	if err != nil || again.String() != back.String() {
		t.Errorf("%s\n%s", back, again)
	}
	if back.Child("urn:a", "inherits") == nil || back.ChildText(NSClient, "body") != "x\r\ny\ufffd" || back.Lang() != "en" {
		t.Errorf("%s", back)
	}
}

func TestParseNeverPanics(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "<", "<a", "<a b", "<a b=", "<a b='", "</a>", "<a></b>", "<a/><b/>", "<p:a/>", "<a>&x;</a>", "<a>&#xD800;</a>", "x<a/>", "<a>" + strings.Repeat("<a>", 300)} {
		if e, err := ParseElement(s, ""); err == nil {
			t.Errorf("%.20q parsed as %v", s, e)
		}
	}
}

func FuzzParseElement(f *testing.F) {
	f.Add("<a xmlns:p='u'><p:b c='&amp;'>x</p:b><![CDATA[y]]></a>")
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseElement(s, NSClient)
		if err != nil {
			return
		}
		text := e.String()
		again, err := ParseElement(text, "")
		if err == nil && again.String() != text && xml.Unmarshal([]byte(text), new(struct{})) == nil {
			t.Fatalf("%q\n%q\n%q", s, text, again.String())
		}
	})
}

func TestEscapeDoesNotAllocate(t *testing.T) {
	dst := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { dst = AppendEscaped(dst[:0], "nothing to see, and <this> & \"that\" – all of it") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkEscape(b *testing.B) {
	dst := make([]byte, 0, 256)
	for name, text := range map[string]string{
		"plain":   "Here is a message of a common length that has nothing in it to escape",
		"escaped": "Here is a message that has \"something\" in it to escape: <b>, i.e. & so",
		"accents": "Здесь сообщение обычной длины, в котором ничего менять не надо",
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				dst = AppendEscaped(dst[:0], text)
			}
		})
	}
}
