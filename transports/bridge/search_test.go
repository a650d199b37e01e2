package bridge_test

import (
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const searchNS = "jabber:iq:search"

// Whoever has a login finds the people that it sees by the beginnings of words, as elements and as a form (XEP-0055); nobody else does.
func TestSearchForPeople(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		ask := func(who jid.JID, typ string, children ...*stanza.Element) *stanza.Stanza {
			return h.ask(who, domain, typ, stanza.NewElement(searchNS, "query").Add(children...))
		}
		if a := ask(phone, stanza.TypeGet); a.Child(searchNS, "query").Child(searchNS, "nick") == nil || form.Find(a.Child(searchNS, "query"), searchNS) == nil {
			t.Errorf("%s", a)
		}
		text := func(name, value string) *stanza.Element { return stanza.TextElement(searchNS, name, value) }
		for _, c := range []struct{ field, value, want string }{
			{"nick", "cl", "cleo@echo.example.org"}, {"nick", "CLEO*", "cleo@echo.example.org"}, {"nick", "cleo ben", ""},
			{"email", "cleo@example.net", "cleo@echo.example.org"}, {"nick", "leo", ""}, {"nick", "ann", ""},
		} {
			a := ask(phone, stanza.TypeSet, text(c.field, c.value))
			var got []string
			for i := range a.Child(searchNS, "query").Named(searchNS, "item") {
				got = append(got, i.Attr("jid"))
			}
			if a.Type != stanza.TypeResult || strings.Join(got, " ") != c.want {
				t.Errorf("%s %q: %s", c.field, c.value, a)
			}
		}
		f := form.New(form.Submit, searchNS, "").Text("nick", "", "be")
		result := form.Find(ask(phone, stanza.TypeSet, f.Element()).Child(searchNS, "query"), searchNS)
		if result == nil || len(result.Items) != 1 || result.Items[0][0].Value() != "ben@echo.example.org" {
			t.Errorf("by form: %+v", result)
		}
		for condition, query := range map[string][]*stanza.Element{
			"not-acceptable": {text("nick", " ")},
			"bad-request":    {form.New(form.Submit, "urn:x", "").Text("nick", "", "be").Element()},
		} {
			if a := ask(phone, stanza.TypeSet, query...); a.Err() == nil || a.Err().Condition != condition {
				t.Errorf("%s: %s", condition, a)
			}
		}
		for _, v := range []string{"a", "a*", strings.Repeat("x", 300)} {
			if a := ask(phone, stanza.TypeSet, text("nick", v)); a.Err() == nil || a.Err().Condition != "not-acceptable" {
				t.Errorf("%q: %s", v, a)
			}
		}
		if a := ask(jid.MustParse("bob@example.org/x"), stanza.TypeSet, text("nick", "cleo")); a.Err() == nil || a.Err().Condition != "registration-required" {
			t.Errorf("without a login: %s", a)
		}
	})
}
