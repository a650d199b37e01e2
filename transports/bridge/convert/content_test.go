package convert

import (
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
)

// The fallback of a reply is marked so that clients cut it off, and the gateway does so itself (XEP-0461 §3.1).
func TestReplyThereAndBack(t *testing.T) {
	t.Parallel()
	content := Message(transports.Message{ID: "m2"}, Rendered{Text: "an answer"}, &Quoted{ID: "m1", From: "r@net.example.org/Cleo", Author: "Cleo", Text: "a — question\nin two lines"}, "m1", Mentioned{})
	st := stanza.NewMessage(jid.MustParse("ann@example.org"), jid.MustParse("r@net.example.org"), stanza.TypeGroupchat, content...)
	if want := "> Cleo:\n> a — question\n> in two lines\nan answer"; st.Body() != want {
		t.Errorf("%q", st.Body())
	}
	if st.Tree().ChildText("", "thread") != "m1" {
		t.Error("no thread")
	}
	net := transports.Info{Name: "Net", Caps: transports.Caps{MessageCaps: transports.MessageCaps{Reply: true}}}
	r, err := Parser{Info: net, MaxText: 1000}.Parse(st, nil)
	if err != nil || r.Kind != SendMessage || r.ReplyTo != "m1" || r.Text != "an answer" {
		t.Errorf("%+v, %v", r, err)
	}
	// On a network that does not show what is answered, the quotation does.
	net.Caps.Reply = false
	if r, err := (Parser{Info: net, MaxText: 1000}).Parse(st, nil); err != nil || r.ReplyTo != "m1" || r.Text != st.Body() {
		t.Errorf("without replies: %+v, %v", r, err)
	}
}

func TestParseKinds(t *testing.T) {
	t.Parallel()
	info := transports.Info{Name: "Net", Caps: transports.Caps{
		MessageCaps: transports.MessageCaps{React: true, Read: true}, Changes: []transports.ChangeKind{transports.ChangeTopic},
	}}
	body := stanza.TextElement("", "body", "text")
	for _, tc := range []struct {
		content []*stanza.Element
		kind    Kind
		target  string
	}{
		{[]*stanza.Element{body}, SendMessage, ""},
		{[]*stanza.Element{body, stanza.NewElement(NSCorrect, "replace").With("id", "1")}, SendEdit, "1"},
		{[]*stanza.Element{stanza.NewElement(NSRetract, "retract").With("id", "2")}, SendDelete, "2"},
		{Reactions("3", []string{"+"}), SendReact, "3"},
		{[]*stanza.Element{Displayed("4")}, SendRead, "4"},
		{Typing(true), None, ""},
	} {
		st := stanza.NewMessage(jid.MustParse("r@net.example.org"), jid.MustParse("ann@example.org"), stanza.TypeChat, tc.content...)
		r, err := Parser{Info: info, MaxText: 1000}.Parse(st, nil)
		if err != nil || r.Kind != tc.kind || r.Target != tc.target {
			t.Errorf("%s: %+v, %v", st, r, err)
		}
	}
	subject := "new"
	if r, err := (Parser{Info: info}).Parse(&stanza.Stanza{Kind: stanza.Message}, &subject); err != nil || r.Kind != SendTopic || r.Topic != "new" {
		t.Errorf("%+v, %v", r, err)
	}
	encrypted := stanza.NewMessage(jid.JID{}, jid.JID{}, stanza.TypeChat, body, stanza.NewElement("urn:xmpp:eme:0", "encryption"))
	if _, err := (Parser{Info: info, MaxText: 1000}).Parse(encrypted, nil); err == nil {
		t.Error("an encrypted message was accepted")
	}
}

// Ids are the same whenever and wherever they are made, and texts are cut between characters.
func TestHashAndCut(t *testing.T) {
	t.Parallel()
	if Hash("a", "bc") == Hash("ab", "c") || Hash("a") != "nklgegkpmpa5hd3gqxlf7wot" {
		t.Error(Hash("a"), Hash("a", "bc"))
	}
	if got := CutBytes("aé", 2); got != "a" {
		t.Errorf("%q", got)
	}
	if got := Snippet(strings.Repeat("é", snippetLength+1)); got != strings.Repeat("é", snippetLength)+"…" {
		t.Errorf("%q", got)
	}
	if got := RoomKey(transports.Direct, "d1", "ann"); got != "@ann" {
		t.Error(got)
	}
	if got := RoomKey(transports.Public, "@ann", ""); got == "@ann" {
		t.Error("a channel has the key of a direct chat")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("<body>hi</body><reply xmlns='urn:xmpp:reply:0' id='1'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='2'/></fallback>")
	f.Add("<body>/me waves</body><thread>t</thread>")
	f.Fuzz(func(t *testing.T, payload string) {
		e, err := stanza.ParseElement("<message>"+payload+"</message>", stanza.NSClient)
		if err != nil {
			return
		}
		st := &stanza.Stanza{Kind: stanza.Message, Type: stanza.TypeChat}
		for c := range e.Elements() {
			st.Payload += stanza.Encode(c)
		}
		r, err := Parser{Info: transports.Info{Name: "Net", Caps: transports.Caps{MessageCaps: transports.MessageCaps{React: true, Read: true}}}, MaxText: 10000}.Parse(st, nil)
		if err == nil && len(r.Parts) > MaxParts {
			t.Errorf("%d parts", len(r.Parts))
		}
	})
}
