package featuretest

import (
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// hat is a request to manage hats.
func hat(id, node string, fields ...string) string {
	x := ""
	for i := 0; i < len(fields); i += 2 {
		x += value("hats#"+fields[i], fields[i+1])
	}
	return ask("set", id, lobby, `<command xmlns='http://jabber.org/protocol/commands' action='execute' node='urn:xmpp:hats:commands:`+node+`'>`+
		submitted("urn:xmpp:hats:commands", x)+`</command>`)
}

// Hats are kept, also without an affiliation, and end with the account: whoever gets the name has none of them.
func TestHats(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	s := startAt(t, url, "alice", "bob", "carol")
	alice, carol := s.online(alicePC), s.online("carol@example.org/x")
	alice.to(lobby, enters(lobby, "Al"), configures(lobby, "persistentroom", "1"))
	alice.take()
	const uri = "http://schemas.example.com/hats#host"
	alice.to(lobby, hat("1", "create", "title", "Host", "uri", uri), hat("2", "assign", "jid", "bob@example.org", "uri", uri), hat("3", "assign", "jid", "carol@example.org", "uri", uri))
	if got := show(alice.take()); strings.Count(got, "completed") != 3 {
		t.Fatal(got)
	}
	carol.to(lobby, hat("4", "destroy", "uri", uri), hat("5", "list-assigned"), enters(lobby, "Carol"))
	got := show(carol.take())
	if strings.Count(got, "<forbidden") != 2 || strings.Contains(got, "bob@example.org") || !strings.Contains(got, "title='Host'") {
		t.Error(got)
	}
	carol.sends(`<iq type='set' id='bye'><query xmlns='jabber:iq:register'><remove/></query></iq>`)
	end := time.Now().Add(patience)
	for n := 1; n > 0 && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if err := s.store.Reader().QueryRow(`SELECT (SELECT count(*) FROM accounts WHERE jid = 'carol@example.org') + (SELECT count(*) FROM room_hats WHERE jid = 'carol@example.org')`).Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
	s.stop()
	s = startAt(t, url, "carol")
	alice = s.online(alicePC)
	alice.to(lobby, enters(lobby, "Al"), hat("6", "list-assigned"))
	if got := show(alice.take()); !strings.Contains(got, "bob@example.org") || strings.Contains(got, "carol@example.org") {
		t.Error(got)
	}
	carol = s.online("carol@example.org/x")
	carol.to(lobby, enters(lobby, "Carol"))
	if got := show(carol.take()); strings.Contains(got, "title='Host'") {
		t.Error(got)
	}
}
