package featuretest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

const (
	roomCard = `<vCard xmlns='vcard-temp'><PHOTO><TYPE>image/png</TYPE><BINVAL>aGVsbG8=</BINVAL></PHOTO></vCard>`
	cardHash = "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d" // of hello
)

// XEP-0486 §3: owners set the avatar of a room; it is kept, and shown to all.
func TestRoomAvatar(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	s := startAt(t, url, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	alice.to(lobby, enters(lobby, "Al"), configures(lobby, "persistentroom", "1"))
	bob.to(lobby, enters(lobby, "Bob"))
	bob.take()
	const empty = `<vCard xmlns='vcard-temp'/>`
	bob.to(lobby, ask("set", "1", lobby, roomCard), ask("get", "2", lobby, empty))
	if got := show(bob.take()); !strings.Contains(got, "<forbidden") || strings.Contains(got, "PHOTO") {
		t.Error(got)
	}
	for _, bad := range []string{strings.Replace(roomCard, "aGVsbG8=", "%", 1), strings.Replace(roomCard, "aGVsbG8=", strings.Repeat("aaaa", 20_000), 1)} {
		alice.take()
		alice.to(lobby, ask("set", "3", lobby, bad))
		if got := alice.conditions(); got != "bad-request" && got != "not-acceptable" {
			t.Error(got)
		}
	}
	bob.to(lobby)
	bob.take()
	alice.to(lobby, ask("set", "4", lobby, roomCard))
	bob.to(lobby, ask("get", "5", lobby, `<query xmlns='http://jabber.org/protocol/disco#info'/>`))
	if got := show(bob.take()); !strings.Contains(got, "code='104'") || strings.Count(got, cardHash) != 2 || !strings.Contains(got, "'vcard-temp'") {
		t.Errorf("announced: %s", got)
	}
	s.stop()
	s = startAt(t, url)
	bob = s.online(bobDesk)
	bob.to(lobby, ask("get", "6", lobby, empty), enters(lobby, "Bob"))
	if got := show(bob.take()); !strings.Contains(got, "aGVsbG8=") || !strings.Contains(got, "<photo>"+cardHash) {
		t.Errorf("kept: %s", got)
	}
	alice = s.online(alicePC)
	alice.to(lobby, ask("set", "7", lobby, empty), ask("get", "8", lobby, empty))
	if got := show(alice.take()); strings.Contains(got, "PHOTO") || strings.Contains(got, "error") {
		t.Errorf("removed: %s", got)
	}
}

// Who is on a block list neither enters a room nor speaks in it; members may.
func TestListedInRooms(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := startWith(t, func(c *config.Config) { c.Strangers.Lists = []string{file} }, "alice", "bob", "carol")
	alice, bob, carol := s.online(alicePC), s.online(bobDesk), s.online("carol@example.org/x")
	alice.to(lobby, enters(lobby, "Al"), configures(lobby))
	bob.to(lobby, enters(lobby, "Bob"))
	bob.take()
	if err := os.WriteFile(file, []byte("bob@example.org\ncarol@example.org\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.reload(func(*config.Config) {})
	bob.to(lobby, message("groupchat", bobDesk, lobby, body("spam")))
	carol.to(lobby, enters(lobby, "Carol"))
	if got := bob.conditions() + " " + carol.conditions(); got != "forbidden forbidden" {
		t.Error(got)
	}
	alice.take()
	bob.to(lobby, message("chat", bobDesk, lobby+"/Al", body("spam")))
	if got := bob.conditions(); got != "forbidden" {
		t.Errorf("private: %s", got)
	}
	bob.to(lobby, message("", bobDesk, lobby, "<x xmlns='http://jabber.org/protocol/muc#user'><invite to='carol@example.org'><reason>spam</reason></invite></x>"))
	if got := bob.conditions(); got != "forbidden" {
		t.Errorf("invitation: %s", got)
	}
	if got := show(alice.take()) + show(carol.take()); strings.Contains(got, "spam") {
		t.Error(got)
	}
	alice.to(lobby, affiliates(lobby, "carol@example.org", "member"))
	carol.take()
	carol.to(lobby, enters(lobby, "Carol"))
	if got := carol.conditions(); got != "" {
		t.Error(got)
	}
}

// An occupant id on a list, as it is or as its hash, refuses who has it in that room, also what would make a member of a room; addresses that the
// list does not have are not refused elsewhere.
func TestListedOccupants(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := startWith(t, func(c *config.Config) { c.Strangers.Lists = []string{file} }, "alice", "bob", "carol")
	alice, bob, carol := s.online(alicePC), s.online(bobDesk), s.online("carol@example.org/x")
	other := strings.Replace(lobby, "lobby", "other", 1)
	alice.to(lobby, enters(lobby, "Al"), ask("set", "c", lobby, `<query xmlns='`+mucNS+`#owner'>`+submitted(mucNS+"#roomconfig",
		value("x-muc#roomconfig_registration", "approval"))+`</query>`))
	alice.to(other, enters(other, "Al"), configures(other))
	bob.to(lobby, enters(lobby, "Bob"))
	carol.to(lobby, enters(lobby, "Carol"))
	ids := map[string]string{}
	for _, st := range alice.take() {
		if e := st.Child("urn:xmpp:occupant-id:0", "occupant-id"); st.Kind == stanza.Presence && e != nil && st.From.Bare().String() == lobby {
			ids[st.From.Resource()] = e.Attr("id")
		}
	}
	bob.take()
	carol.to(lobby, leaves(lobby, "Carol"))
	carol.take()
	if err := os.WriteFile(file, []byte(ids["Bob"]+"\n"+listed(ids["Carol"])+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.reload(func(*config.Config) {})
	bob.to(lobby, message("groupchat", bobDesk, lobby, body("spam")))
	carol.to(lobby, enters(lobby, "Carol"))
	if got := bob.conditions() + " " + carol.conditions(); got != "forbidden forbidden" {
		t.Errorf("%s; ids %v", got, ids)
	}
	alice.take()
	bob.to(lobby, message("chat", bobDesk, lobby+"/Al", body("spam")))
	if got := bob.conditions(); got != "forbidden" {
		t.Errorf("private: %s", got)
	}
	for _, c := range []*client{bob, carol} {
		c.to(lobby, registersWith("reg", "builder"))
		if got := c.conditions(); got != "forbidden" {
			t.Errorf("registration: %s", got)
		}
	}
	if got := show(alice.take()); strings.Contains(got, "spam") {
		t.Error(got)
	}
	bob.to(other, enters(other, "Bob"))
	if got := bob.conditions(); got != "" {
		t.Errorf("another room: %s", got)
	}
	alice.to(lobby, affiliates(lobby, "carol@example.org", "member"))
	carol.take()
	carol.to(lobby, enters(lobby, "Carol"))
	if got := carol.conditions(); got != "" {
		t.Error(got)
	}
}
