package featuretest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

const mamNS = "urn:xmpp:mam:2"

// until returns what has come when an answer with an id has: an archive is read beside what its room does.
func (c *client) until(id string) (all []*stanza.Stanza) {
	c.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		all = append(all, c.take()...)
		if slices.ContainsFunc(all, func(st *stanza.Stanza) bool { return st.ID == id }) {
			return all
		}
	}
	c.t.Fatalf("no answer to %s", id)
	return nil
}

// archived is a page of a room's archive: who has said what, and the ids. what is "form of fields; set".
func (c *client) archived(room, query string) (lines, ids []string, last *stanza.Stanza) {
	c.t.Helper()
	c.take()
	c.to(room, ask("set", "h", room, `<query xmlns='`+mamNS+`'>`+query+`</query>`))
	for _, st := range c.until("h") {
		if st.ID == "h" {
			return lines, ids, st
		}
		r := st.Child(mamNS, "result")
		if r == nil {
			continue
		}
		m := r.Child("urn:xmpp:forward:0", "forwarded").Child(stanza.NSClient, "message")
		text := m.ChildText("", "body")
		if text == "" {
			for e := range m.Elements() {
				if e.Local != "occupant-id" && e.Local != "stanza-id" {
					text += "<" + e.Local + ">" + e.Text()
				}
			}
		}
		_, nick, _ := strings.Cut(m.Attr("from"), "/")
		lines = append(lines, nick+": "+text)
		ids = append(ids, r.Attr("id"))
		if strings.Contains(st.Payload, "@example.org/") || strings.Contains(st.Payload, "alice@") {
			c.t.Errorf("a real address is in the archive: %s", st)
		}
	}
	c.t.Fatal("no answer")
	return nil, nil, nil
}

func archiveForm(fields string) string { return submitted(mamNS, fields) }

func pageOf(set string) string {
	return `<set xmlns='http://jabber.org/protocol/rsm'>` + set + `</set>`
}

func says(room, id, text string) string {
	return `<message type='groupchat' id='` + id + `' to='` + room + `'><body>` + text + `</body></message>`
}

// conferenceWithTalk is a room with some messages: of Al "one", "two" and "three small words", and of Bob "bob's".
func conferenceWithTalk(t *testing.T, s *testServer, fields ...string) (alice, bob *client) {
	t.Helper()
	alice, bob = s.online(alicePC), s.online(bobDesk)
	alice.to(lobby, enters(lobby, "Al"), configures(lobby, append([]string{"persistentroom", "1"}, fields...)...), affiliates(lobby, "bob@example.org", "member"))
	bob.to(lobby, enters(lobby, "Bob"))
	alice.to(lobby, says(lobby, "1", "one"), says(lobby, "2", "two"))
	bob.to(lobby, says(lobby, "3", "bobs"), `<message type='groupchat' to='`+lobby+`'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`)
	alice.to(lobby, says(lobby, "4", "three small words"))
	return alice, bob
}

func TestConferenceArchive(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	s := startAt(t, url, "alice", "bob", "carol")
	alice, bob := conferenceWithTalk(t, s)
	check := func(c *client, query, want, fin string) (ids []string) {
		t.Helper()
		lines, ids, last := c.archived(lobby, query)
		if got := strings.Join(lines, ", "); got != want || !strings.Contains(last.Payload, fin) {
			t.Errorf("%s: %s, %s; want %s, %s", query, got, last.Payload, want, fin)
		}
		return ids
	}
	const all = "Al: one, Al: two, Bob: bobs, Al: three small words"
	alice.to(lobby, ask("get", "i", lobby, `<query xmlns='http://jabber.org/protocol/disco#info'/>`))
	if got := show(alice.take()); !strings.Contains(got, mamNS) || !strings.Contains(got, "urn:xmpp:fulltext:0") || !strings.Contains(got, "urn:xmpp:message-moderate:1") {
		t.Errorf("features: %s", got)
	}
	ids := check(alice, "", all, "complete='true'")
	check(bob, pageOf("<max>2</max>"), "Al: one, Al: two", "<count>4</count>")
	check(bob, pageOf("<max>2</max><before/>"), "Bob: bobs, Al: three small words", "index='2'")
	check(bob, pageOf("<max>2</max><before>"+ids[2]+"</before>"), "Al: one, Al: two", "complete='true'")
	check(bob, pageOf("<after>"+ids[2]+"</after>"), "Al: three small words", "complete='true'")
	check(bob, archiveForm(value("with", lobby+"/Bob")), "Bob: bobs", "complete='true'")
	check(bob, archiveForm(value("{urn:xmpp:fulltext:0}fulltext", "words three")), "Al: three small words", "complete='true'")
	check(bob, archiveForm(value("ids", ids[1])), "Al: two", "complete='true'")
	check(bob, archiveForm(value("after-id", ids[0])+value("before-id", ids[3])), "Al: two, Bob: bobs", "complete='true'")
	for query, want := range map[string]string{
		archiveForm(value("ids", "nothing")):            "item-not-found",
		pageOf("<after>nothing</after>"):                "item-not-found",
		pageOf("<max>2</max><index>1</index>"):          "feature-not-implemented",
		archiveForm(value("with", "alice@example.org")): "forbidden",
		archiveForm(value("unknown", "x")):              "feature-not-implemented",
		archiveForm(value("start", "yesterday")):        "bad-request",
		`<x xmlns='jabber:x:data' type='submit'/>`:      "bad-request",
	} {
		if _, _, last := bob.archived(lobby, query); last.Err() == nil || last.Err().Condition != want {
			t.Errorf("%s: %s, want %s", query, last, want)
		}
	}

	// Who enters gets what the archive has, also after a restart.
	s.stop()
	s = startAt(t, url)
	carol := s.online("carol@example.org/x")
	check(carol, "", all, "complete='true'") // an open room: who may enter may read
	carol.to(lobby, enters(lobby, "Carol"))
	if got := show(carol.take()); strings.Count(got, "<body>") != 4 || strings.Count(got, "<delay") != 4 || strings.Count(got, "<occupant-id") != 5 {
		t.Errorf("history: %s", got)
	}
	// The archive ends with its room.
	alice = s.online(alicePC)
	alice.to(lobby, enters(lobby, "Al"), destroys(lobby), enters(lobby, "Al"), configures(lobby))
	alice.take()
	check(alice, "", "", "complete='true'")
	alice.to(lobby, says(lobby, "n", "new"))
	check(alice, "", "Al: new", "complete='true'")
}

// Outsiders do not read what they could not hear.
func TestConferenceArchiveOfOthers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fields  []string
		outcast bool
		want    string
	}{
		"open":         {nil, false, ""},
		"banned":       {nil, true, "forbidden"},
		"members only": {[]string{"membersonly", "1"}, false, "forbidden"},
		"password":     {[]string{"passwordprotectedroom", "1", "roomsecret", "open sesame"}, false, "forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, "alice", "bob", "carol")
			alice := s.online(alicePC)
			alice.to(lobby, enters(lobby, "Al"), configures(lobby, c.fields...), says(lobby, "1", "secret"), affiliates(lobby, "bob@example.org", "member"))
			if c.outcast {
				alice.to(lobby, affiliates(lobby, "carol@example.org", "outcast"))
			}
			carol, bob := s.online("carol@example.org/x"), s.online(bobDesk)
			lines, _, last := carol.archived(lobby, "")
			if e := last.Err(); e == nil && c.want != "" || e != nil && (e.Condition != c.want || len(lines) > 0) {
				t.Errorf("%q, %s", lines, last)
			}
			if lines, _, last := bob.archived(lobby, ""); len(lines) != 1 {
				t.Errorf("a member: %s", last)
			}
		})
	}
}

// Who has sent a message can retract it, nobody else; moderators can do it with all. What remains is a tombstone.
func TestConferenceRetraction(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, bob := conferenceWithTalk(t, s)
	_, ids, _ := alice.archived(lobby, "")
	retracts := func(id string) string {
		return `<message type='groupchat' id='r' to='` + lobby + `'><retract xmlns='urn:xmpp:message-retract:1' id='` + id + `'/><store xmlns='urn:xmpp:hints'/></message>`
	}
	bob.to(lobby, retracts(ids[0]), retracts(ids[2]))
	lines, _, _ := bob.archived(lobby, "")
	if got := strings.Join(lines[:4], ", "); got != "Al: one, Al: two, Bob: <retracted>, Al: three small words" {
		t.Errorf("retracted: %s", got)
	}
	moderate := ask("set", "m", lobby, `<moderate xmlns='urn:xmpp:message-moderate:1' id='`+ids[0]+`'><retract xmlns='urn:xmpp:message-retract:1'/><reason>Spam</reason></moderate>`)
	moderateOld := ask("set", "m", lobby, `<apply-to xmlns='urn:xmpp:fasten:0' id='`+ids[1]+`'><moderate xmlns='urn:xmpp:message-moderate:0'><retract xmlns='urn:xmpp:message-retract:0'/></moderate></apply-to>`)
	bob.to(lobby, moderate, moderateOld)
	if got := bob.conditions(); got != "forbidden forbidden" {
		t.Errorf("who is no moderator: %s", got)
	}
	alice.take()
	alice.to(lobby, moderate, moderateOld, strings.ReplaceAll(moderate, ids[0], "nothing"))
	if got := alice.conditions(); got != "item-not-found" {
		t.Errorf("a moderator: %s", got)
	}
	if got := show(bob.take()); strings.Count(got, "<moderated xmlns='urn:xmpp:message-moderate:1'") != 2 || strings.Count(got, "<moderated xmlns='urn:xmpp:message-moderate:0'") != 2 {
		t.Errorf("announced: %s", got)
	}
	lines, _, _ = bob.archived(lobby, "")
	if got := strings.Join(lines[:2], ", "); got != "Al: <retracted>, Al: <retracted>" {
		t.Errorf("moderated: %s", got)
	}
	// Nobody can pretend that a moderator has done it.
	bob.to(lobby, `<message type='groupchat' to='`+lobby+`'><body>x</body><apply-to xmlns='urn:xmpp:fasten:0' id='`+ids[3]+`'><moderated xmlns='urn:xmpp:message-moderate:0' by='`+lobby+`/Al'/></apply-to></message>`)
	if got := show(bob.take()); strings.Contains(got, "moderated") || !strings.Contains(got, "<body>x</body>") {
		t.Errorf("forged: %s", got)
	}
	alice.to(lobby, leaves(lobby, "Al"), enters(lobby, "Al"))
	if got := show(alice.take()); strings.Contains(got, "bobs") || strings.Contains(got, ">one<") || !strings.Contains(got, "three small words") {
		t.Errorf("history: %s", got)
	}
}

// An owner can switch the archive off, and the operator too.
func TestConferenceWithoutArchive(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, _ := conferenceWithTalk(t, s, "enablelogging", "0")
	if lines, _, _ := alice.archived(lobby, ""); len(lines) != 0 {
		t.Errorf("archived: %q", lines)
	}
	s.reload(func(c *config.Config) { c.Rooms.Archive = false })
	alice.take()
	alice.to(lobby, configures(lobby, "enablelogging", "1"))
	if got := alice.conditions(); got != "not-acceptable" {
		t.Errorf("an archive where there is none: %s", got)
	}
}

// Archives have as many messages as the operator allows.
func TestConferenceArchiveIsPruned(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, _ := conferenceWithTalk(t, s)
	count := func() (n int) {
		if err := s.store.Reader().QueryRow(`SELECT count(*) FROM room_messages`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	await := func(want int) {
		t.Helper()
		end := time.Now().Add(patience)
		for count() != want && time.Now().Before(end) {
			time.Sleep(5 * time.Millisecond)
		}
		if n := count(); n != want {
			t.Errorf("%d messages, want %d", n, want)
		}
	}
	_, ids, _ := alice.archived(lobby, "")
	s.reload(func(c *config.Config) { c.Rooms.ArchiveMessages = 2 })
	await(2)
	if lines, _, _ := alice.archived(lobby, pageOf(fmt.Sprintf("<after>%s</after>", ids[0]))); strings.Join(lines, ", ") != "Bob: bobs, Al: three small words" {
		t.Errorf("after an id that is not there any more: %q", lines)
	}
	alice.to(lobby, destroys(lobby))
	s.reload(func(c *config.Config) { c.Rooms.ArchiveMessages = 0 })
	await(0)
}
