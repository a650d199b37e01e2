package bridge_test

import (
	"context"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
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

// discreet is a network that shows e-mail addresses and telephone numbers to one user only.
type discreet struct {
	transports.Network
	trusted transports.UserID
}

func (n discreet) Open(ctx context.Context, a transports.Login, sink transports.Sink) (transports.Client, error) {
	s, err := n.Network.Open(ctx, a, sink)
	if err != nil || a.User == n.trusted {
		return s, err
	}
	return &discreetSession{s.(full)}, nil
}

type discreetSession struct{ full }

func (s *discreetSession) Contacts(ctx context.Context, page func([]transports.UserInfo) error) error {
	return s.full.Contacts(ctx, func(list []transports.UserInfo) error {
		for i := range list {
			list[i] = list[i].Shared()
		}
		return page(list)
	})
}

func (s *discreetSession) Profile(ctx context.Context, id transports.UserID) (transports.UserInfo, error) {
	u, err := s.full.Profile(ctx, id)
	return u.Shared(), err
}

// Addresses that the network shows to another login only are neither found nor shown, in whatever order they were learned.
func TestAddressesAreForTheLoginThatSeesThem(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.net = discreet{h.net, "ann"}
		h.start()
		found := func(who jid.JID, field, value string) string {
			query := stanza.NewElement(searchNS, "query").Add(stanza.TextElement(searchNS, field, value))
			return h.ask(who, domain, stanza.TypeSet, query).String()
		}
		vcard := func(who jid.JID) string {
			return h.ask(who, contact("cleo"), stanza.TypeGet, stanza.NewElement("vcard-temp", "vCard")).String()
		}
		check := func(when string) {
			t.Helper()
			for _, got := range []string{found(phone, "nick", "cleo"), found(phone, "email", "cleo@example"), vcard(phone)} {
				if !strings.Contains(got, "cleo@example.net") {
					t.Errorf("%s, to the login that sees it: %s", when, got)
				}
			}
			for _, got := range []string{found(desk, "nick", "cleo"), vcard(desk)} {
				if !strings.Contains(got, "leo") || strings.Contains(got, "cleo@example.net") {
					t.Errorf("%s, to another login: %s", when, got)
				}
			}
			if got := found(desk, "email", "cleo@example"); strings.Contains(got, "cleo@") {
				t.Errorf("%s, another login finds: %s", when, got)
			}
		}
		h.link(desk, "ben")
		h.link(phone, "ann")
		h.discard()
		check("after linking")
		h.restart()
		check("after a start")
		h.check(h.world.Do(func(as faultnet.As) error {
			info := transports.UserInfo{ID: "cleo", Name: "Cleo", Email: "new-cleo@example.net", Group: "Egypt"}
			return as.SendTo("ann", transports.Event{Key: "address", Body: transports.Contact{Info: info}})
		}))
		h.discard()
		if got := found(phone, "email", "new-cleo"); !strings.Contains(got, "new-cleo@example.net") {
			t.Errorf("after a change: %s", got)
		}
		if got := found(desk, "nick", "cleo") + vcard(desk); strings.Contains(got, "new-cleo") {
			t.Errorf("after a change, to another login: %s", got)
		}
	})
}
