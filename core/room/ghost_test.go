package room

import (
	"strings"
	"testing"
)

func bounce(kind, to, condition string) string {
	return "<" + kind + " from='bob/1' to='" + to + "' id='x' type='error'><error type='cancel'><" + condition + " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></" + kind + ">"
}

func TestGhosts(t *testing.T) { // XEP-0045 §11.1, §18.1.2
	t.Parallel()
	for _, c := range []struct {
		kind, condition string
		gone            bool
	}{
		{"message", "gone", true}, {"message", "item-not-found", true}, {"message", "recipient-unavailable", true},
		{"message", "redirect", true}, {"message", "remote-server-not-found", true}, {"message", "remote-server-timeout", true},
		{"message", "service-unavailable", true}, // RFC 6121 §8.5.3.2.1: how a server bounces groupchat
		{"message", "not-allowed", false}, {"message", "policy-violation", false}, {"message", "nonsense", false},
		{"presence", "remote-server-not-found", true}, {"presence", "resource-constraint", false},
		{"iq", "remote-server-timeout", true}, {"iq", "service-unavailable", false}, {"iq", "item-not-found", false}, {"iq", "feature-not-implemented", false},
	} {
		p := newFixture(t).join("ann/1", "bob/1")
		p.in(bounce(c.kind, "", c.condition))
		if _, in := p.BySession(person("bob/1")); in == c.gone {
			t.Errorf("%+v", c)
		}
		if !c.gone {
			p.want()
			continue
		}
		p.want("<presence to='bob/1' from='/bob' type='unavailable'><x><item affiliation='none' role='none' jid='bob/1'/><status code='333'/><status code='110'/></x></presence>",
			"<presence to='ann/1' from='/bob' type='unavailable'><x><item affiliation='none' role='none'/><status code='333'/></x></presence>")
		if e := p.owner.events[len(p.owner.events)-1]; e.Kind != DeliveryFault || e.Session != person("bob/1") {
			t.Errorf("%+v", e)
		}
	}
	p := newFixture(t).join("ann/1", "bob/1", "bob/2")
	p.in(bounce("message", "", "gone")).want("<presence to='bob/1' from='/bob' type='unavailable'…") // the other client stays
	p.in(strings.Replace(bounce("message", "", "gone"), "bob/1", "eve/1", 1)).want()
	p.in(strings.Replace(bounce("message", "/ann", "not-acceptable"), "bob/1", "bob/2", 1)).want( // a private message refused
		"<message to='ann/1' from='/bob' id='x' type='error'><error type='cancel'><not-acceptable/></error><x/></message>")
}
