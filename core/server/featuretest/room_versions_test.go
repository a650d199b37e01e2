package featuretest

import (
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/store/storetest"
)

const versionsNS = "urn:xmpp:muc:affiliations:1"

// entersWith is a request to enter of a client that knows a version of the affiliations; "" asks for all of them.
func entersWith(room, nick, version string) string {
	since := ""
	if version != "" {
		since = ` since='` + version + `'`
	}
	return `<presence to='` + room + `/` + nick + `'><x xmlns='` + mucNS + `'><mav xmlns='` + versionsNS + `'` + since + `/></x></presence>`
}

// learns returns what a client that enters with a version is reported about affiliations, as "since address affiliation …", and the current version.
func (c *client) learns(room, nick, version string) (reported, current string) {
	c.t.Helper()
	c.take()
	c.to(room, leaves(room, nick), entersWith(room, nick, version))
	for _, st := range c.take() {
		x := st.Child(mucNS+"#user", "x")
		mav := x.Child(versionsNS, "mav")
		switch {
		case mav == nil:
		case st.Kind.String() == "presence":
			current = mav.Attr("until")
		default:
			reported += mav.Attr("since")
			for i := range x.Named(mucNS+"#user", "item") {
				reported += " " + strings.TrimSuffix(i.Attr("jid"), "@example.org") + " " + i.Attr("affiliation")
			}
		}
	}
	return reported, current
}

// XEP-0463: versions survive a restart; who knows one learns what has changed since, and not what was in a room of that address before.
func TestAffiliationVersions(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	s := startAt(t, url, "alice", "bob", "carol")
	alice := s.online(alicePC)
	alice.to(lobby, enters(lobby, "Al"), configures(lobby, "persistentroom", "1", "whois", "anyone"))
	reported, first := alice.learns(lobby, "Al", "")
	if reported != " alice owner" || first == "" {
		t.Errorf("%q, %q", reported, first)
	}
	alice.to(lobby, affiliates(lobby, "bob@example.org", "member"), affiliates(lobby, "carol@example.org", "member"), affiliates(lobby, "bob@example.org", "admin"))
	_, second := alice.learns(lobby, "Al", first)
	s.stop()
	s = startAt(t, url)
	alice = s.online(alicePC)
	if reported, current := alice.learns(lobby, "Al", first); reported != first+" bob admin carol member" || current != second {
		t.Errorf("%q, %q", reported, current)
	}
	if reported, current := alice.learns(lobby, "Al", second); reported != "" || current != second {
		t.Errorf("%q, %q", reported, current)
	}
	carol := s.online("carol@example.org/x")
	carol.sends(`<iq type='set' id='bye'><query xmlns='jabber:iq:register'><remove/></query></iq>`)
	end := time.Now().Add(patience)
	for n := 1; n > 0 && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if err := s.store.Reader().QueryRow(`SELECT count(*) FROM accounts WHERE jid = 'carol@example.org'`).Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
	reported, third := alice.learns(lobby, "Al", second)
	if reported != second+" carol none" {
		t.Errorf("%q", reported)
	}
	alice.to(lobby, destroys(lobby))
	alice.to(lobby, enters(lobby, "Al"), configures(lobby, "persistentroom", "1", "whois", "anyone"))
	if reported, current := alice.learns(lobby, "Al", third); reported != " alice owner" || current == third || current == first {
		t.Errorf("%q, %q", reported, current)
	}
}
