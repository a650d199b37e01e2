package featuretest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// history is what a query gives: from, text and id of each message, and the end.
func (c *client) history(form string) (lines, ids []string, fin *stanza.Element) {
	c.t.Helper()
	c.take()
	c.sends(`<iq type='set' id='h'><query xmlns='urn:xmpp:mam:2' queryid='q'>` + form + `</query></iq>`)
	got := c.take()
	for _, st := range got[:len(got)-1] {
		r := st.Child("urn:xmpp:mam:2", "result")
		m := r.Child("urn:xmpp:forward:0", "forwarded").Child(stanza.NSClient, "message")
		if st.From.String() != aliceBare || r.Attr("queryid") != "q" {
			c.t.Errorf("%s", st)
		}
		lines = append(lines, m.Attr("from")+": "+m.ChildText("", "body"))
		ids = append(ids, r.Attr("id"))
	}
	last := got[len(got)-1]
	if last.Type != stanza.TypeResult {
		c.t.Fatalf("%s", last)
	}
	return lines, ids, last.FirstChild()
}

func with(contact string) string {
	return `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field><field var='with'><value>` + contact + `</value></field></x>`
}

// Results of a room's archive, and other messages that no conversation has, are delivered as they are: not archived,
// not stamped, not copied.
func TestProtocolDataIsNotArchived(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	alice, phone := s.online(alicePC), s.online("alice@example.org/phone").carbons()
	alice.take()
	from := "coven@remote.example"
	for _, payload := range []string{
		`<result xmlns='urn:xmpp:mam:2' queryid='q' id='1'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='coven@remote.example/x'><body>x</body></message></forwarded></result>`,
		`<x xmlns='http://jabber.org/protocol/muc#user'><status code='172'/></x>`,
		`<data xmlns='http://jabber.org/protocol/ibb' sid='1' seq='0'>AA==</data>`,
	} {
		s.remote.sends(message("", from, alicePC, payload))
		alice.gets(message("", from, alicePC, payload))
		phone.gets()
	}
	if lines, _, _ := alice.history(""); len(lines) != 0 {
		t.Errorf("archived %q", lines)
	}
}

// checklist 119
func TestArchive(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	s := startAt(t, url, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	alice.sends(message("chat", "", bobBare, body("one")), message("", "", romeo, body("two")))
	bob.take()
	bob.sends(message("chat", "", aliceBare, body("three")))
	live := alice.take()
	alice.drop()
	bob.sends(message("chat", "", aliceBare, body("four")))
	s.stop()
	s = startAt(t, url)
	alice = s.login(alicePC)
	alice.sends(`<presence/>`)
	kept := alice.take()
	lines, ids, fin := alice.history("")
	want := []string{alicePC + ": one", alicePC + ": two", bobDesk + ": three", bobDesk + ": four"}
	if strings.Join(lines, "|") != strings.Join(want, "|") || fin.Attr("complete") != "true" {
		t.Errorf("%q %s", lines, fin)
	}
	// The ids are those that were stamped on the messages (XEP-0359).
	for i, st := range []*stanza.Stanza{live[0], kept[1]} {
		e := st.Child("urn:xmpp:sid:0", "stanza-id")
		if e.Attr("id") != ids[2+i] || e.Attr("by") != aliceBare {
			t.Errorf("%s is not %s", e, ids[2+i])
		}
	}
	if lines, _, _ := alice.history(with(bobBare)); len(lines) != 3 {
		t.Errorf("with bob: %q", lines)
	}
	lines, _, fin = alice.history(`<set xmlns='http://jabber.org/protocol/rsm'><max>1</max><after>` + ids[0] + `</after></set>`)
	if len(lines) != 1 || lines[0] != want[1] || fin.Attr("complete") == "true" {
		t.Errorf("%q %s", lines, fin)
	}
}

// XEP-0313 §8.1: other people's archives and preferences are forbidden, also those of accounts that do not exist, and nothing is changed.
func TestArchivesOfOthers(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	for _, to := range []string{aliceBare, "nobody@example.org", "example.org"} {
		want := "forbidden"
		if to == "example.org" {
			want = "service-unavailable" // there is no archive
		}
		for i, c := range []struct{ typ, payload string }{
			{"set", `<query xmlns='urn:xmpp:mam:2'/>`},
			{"get", `<query xmlns='urn:xmpp:mam:2'/>`},
			{"get", `<metadata xmlns='urn:xmpp:mam:2'/>`},
			{"get", `<prefs xmlns='urn:xmpp:mam:2'/>`},
			{"set", `<prefs xmlns='urn:xmpp:mam:2' default='never'/>`},
		} {
			id := fmt.Sprint(i)
			bob.sends(`<iq type='` + c.typ + `' id='` + id + `' to='` + to + `'>` + c.payload + `</iq>`)
			bob.gets(fails("iq", id, want))
		}
	}
	alice.sends(`<iq type='get' id='p'><prefs xmlns='urn:xmpp:mam:2'/></iq>`)
	if got := alice.take(); len(got) != 1 || got[0].FirstChild().Attr("default") != "always" {
		t.Error(show(got))
	}
}

// A session that has read its archive before its first presence does not get the same messages as offline messages
// (XEP-0313 §6.1.1). One that has read a part gets the others, and a client without an archive gets all.
func TestOfflineMessagesFromTheArchive(t *testing.T) {
	t.Parallel()
	last := `<set xmlns='http://jabber.org/protocol/rsm'><max>2</max><before/></set>`
	for _, c := range []struct{ name, query, want string }{
		{"no query", "-", "1 2 3 event"},
		{"all", "", "event"},
		{"a part", last, "1 event"},
		{"another contact", with("juliet@remote.example"), "1 2 3 event"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, "alice")
			for _, text := range []string{"1", "2", "3"} {
				s.remote.sends(message("chat", romeo, aliceBare, body(text)))
			}
			// This one is kept for the next session, but not archived.
			s.remote.sends(message("chat", romeo, aliceBare, body("event")+`<no-permanent-store xmlns='urn:xmpp:hints'/>`))
			alice := s.login(alicePC)
			if c.query != "-" {
				alice.history(c.query)
			}
			alice.take()
			alice.sends(`<presence/>`)
			var got []string
			for _, st := range alice.take() {
				if text := st.Body(); text != "" {
					got = append(got, text)
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %v, want %s", got, c.want)
			}
			s.nothingStored(alice.jid)
		})
	}
}

// XEP-0313 §3, XEP-0334: what is worth keeping
func TestWhatIsArchived(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	alice := s.online(alicePC)
	for i, c := range []struct {
		typ, inner string
		kept       bool
	}{
		{"chat", body("x"), true},
		{"", body("x"), true},
		{"chat", `<active xmlns='http://jabber.org/protocol/chatstates'/><thread>1</thread>`, false},
		{"chat", `<active xmlns='http://jabber.org/protocol/chatstates'/><store xmlns='urn:xmpp:hints'/>`, true},
		{"chat", body("x") + `<no-store xmlns='urn:xmpp:hints'/>`, false},
		{"chat", body("x") + `<no-permanent-store xmlns='urn:xmpp:hints'/>`, false},
		{"chat", `<no-permanent-store xmlns='urn:xmpp:hints'/><store xmlns='urn:xmpp:hints'/>`, false},
		{"chat", `<encrypted xmlns='eu.siacs.conversations.axolotl'/>`, true},
		{"", `<received xmlns='urn:xmpp:receipts' id='1'/>`, true},
		{"", ``, false},
		{"headline", body("x"), false},
		{"error", body("x"), false},
		{"groupchat", body("x"), false},
	} {
		s.remote.sends(message(c.typ, romeo+"/x", alicePC, c.inner))
		got := alice.take()
		if len(got) != 1 || (got[0].Child("urn:xmpp:sid:0", "stanza-id") != nil) != c.kept {
			t.Errorf("%d: %s", i, show(got))
		}
		before, _, _ := alice.history("")
		alice.sends(message(c.typ, "", romeo, c.inner))
		after, _, _ := alice.history("")
		if (len(after) == len(before)+1) != c.kept {
			t.Errorf("%d: %d, %d", i, len(before), len(after))
		}
	}
}

// Prosody #1552: ids that are not ours to give are taken off, however often they are given
func TestProsody1552_ForgedStanzaID(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	alice := s.online(alicePC)
	forged := `<stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.org' id='f1'/><p:stanza-id xmlns:p='urn:xmpp:sid:0' by='ALICE@Example.Org' id='f2'/><stanza-id xmlns='urn:xmpp:sid:0' by='room@muc.example' id='theirs'/>`
	for _, typ := range []string{"chat", "headline"} {
		s.remote.sends(message(typ, romeo, alicePC, body("x")+forged))
		n := 0
		st := alice.take()[0]
		for e := range st.Tree().Elements() {
			if e.Local == "stanza-id" && strings.EqualFold(e.Attr("by"), aliceBare) {
				n++
				if strings.HasPrefix(e.Attr("id"), "f") {
					t.Errorf("forged: %s", st)
				}
			}
		}
		if n != map[string]int{"chat": 1, "headline": 0}[typ] || !strings.Contains(st.Payload, "theirs") {
			t.Errorf("%d ids: %s", n, st)
		}
	}
}

// Notes to oneself are archived once.
func TestArchiveOfNotesToSelf(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	alice := s.online(alicePC)
	alice.sends(message("chat", "", aliceBare, body("note")))
	if lines, _, _ := alice.history(with(aliceBare)); len(lines) != 1 {
		t.Error(lines)
	}
}

// XEP-0441
func TestArchivePreferences(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	alice := s.online(alicePC)
	prefs := func(policy, always, never string) {
		t.Helper()
		alice.take()
		alice.sends(`<iq type='set' id='p'><prefs xmlns='urn:xmpp:mam:2' default='` + policy + `'><always>` + always + `</always><never>` + never + `</never></prefs></iq>`)
		if got := alice.take(); len(got) != 1 || got[0].Type != "result" {
			t.Fatal(show(got))
		}
	}
	archives := func(from string) bool {
		t.Helper()
		alice.take()
		s.remote.sends(message("chat", from, alicePC, body("x")))
		return alice.take()[0].Child("urn:xmpp:sid:0", "stanza-id") != nil
	}
	const juliet = "juliet@remote.example/x"
	if !archives(juliet) {
		t.Error("by default all is archived")
	}
	prefs("never", `<jid>romeo@remote.example</jid>`, "")
	if archives(juliet) || !archives(romeo) {
		t.Error("never, but romeo")
	}
	prefs("roster", "", `<jid>romeo@remote.example</jid>`)
	if archives(juliet) {
		t.Error("not in the roster")
	}
	alice.sends(set("r", `<item jid='juliet@remote.example'/>`), set("r", `<item jid='romeo@remote.example'/>`))
	if !archives(juliet) || archives(romeo) {
		t.Error("roster, but romeo")
	}
}

// What an account sends to an endpoint that archives it is not archived by the server; it has an id for that.
func TestArchiveForSenders(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	e, err := s.router.Endpoint(jid.MustParse("inside.example.org"))
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan *stanza.Stanza, 2)
	e.Handle(func(st *stanza.Stanza) { got <- st })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := e.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	alice := s.online(alicePC)
	alice.sends(message("chat", "", "friend@inside.example.org", body("one")))
	one := <-got
	e.ArchiveForSenders()
	alice.sends(message("chat", "", "friend@inside.example.org", body("two")))
	if two := <-got; one.Entry == "" || two.Entry == "" || one.Entry == two.Entry {
		t.Errorf("the ids are %q and %q", one.Entry, two.Entry)
	}
	if lines, _, _ := alice.history(""); len(lines) != 1 || lines[0] != alicePC+": one" {
		t.Errorf("%q is archived", lines)
	}
	cancel()
	<-ended
}

// entries are the results of a query of alice's whole archive, as text and payload.
func (c *client) entries(form string) (list []*stanza.Element) {
	c.t.Helper()
	c.take()
	c.sends(`<iq type='set' id='h'><query xmlns='urn:xmpp:mam:2'>` + form + `</query></iq>`)
	for _, st := range c.take() {
		if r := st.Child("urn:xmpp:mam:2", "result"); r != nil {
			list = append(list, r.Child("urn:xmpp:forward:0", "forwarded").Child(stanza.NSClient, "message"))
		}
	}
	return list
}

func retract(id, from, to, target string) string {
	return `<message id='` + id + `' type='chat' from='` + from + `' to='` + to + `'><retract xmlns='urn:xmpp:message-retract:1' id='` + target + `'/><body>retracted</body></message>`
}

// XEP-0424: who has sent a message can have it removed from the archives of both sides; the tombstone names the retraction. It keeps its id and time.
func TestRetraction(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	text := func(id, from, to, text string) string {
		return `<message id='` + id + `' type='chat' from='` + from + `' to='` + to + `'>` + body(text) + `</message>`
	}
	alice.sends(text("m1", alicePC, bobBare, "alice's secret"), text("m2", alicePC, romeo, "to romeo"))
	bob.sends(text("m3", bobDesk, aliceBare, "bob's secret"))
	s.remote.sends(text("m4", romeo+"/x", aliceBare, "romeo's secret"),
		`<message id='m5' type='chat' from='`+romeo+`/x' to='`+aliceBare+`'><replace xmlns='urn:xmpp:message-correct:0' id='m4'/>`+body("romeo's corrected secret")+`</message>`)
	_, before, _ := alice.history("")

	// Others have sent it: nothing is changed.
	bob.sends(retract("r0", bobDesk, aliceBare, "m1"))
	s.remote.sends(retract("r0", "juliet@remote.example/x", aliceBare, "m4"), retract("r0", romeo, aliceBare, "m2"))
	if got := alice.entries(""); len(got) != 8 || got[0].ChildText("", "body") == "" || got[1].ChildText("", "body") == "" || got[3].ChildText("", "body") == "" {
		t.Fatalf("a stranger has retracted something: %v", got)
	}
	alice.sends(retract("r1", alicePC, bobBare, "m1"), retract("r2", "alice@example.org/pc", romeo, "m2"))
	bob.sends(retract("r3", bobDesk, aliceBare, "m3"))
	s.remote.sends(retract("r4", romeo+"/other", aliceBare, "m4"))
	got := alice.entries("")
	if len(got) != 12 {
		t.Fatalf("%d entries", len(got))
	}
	for i, want := range []string{"r1", "r2", "r3", "r4", "r4"} {
		e := got[i].Child("urn:xmpp:message-retract:1", "retracted")
		if e.Attr("id") != want || e.Attr("stamp") == "" || got[i].ChildText("", "body") != "" {
			t.Errorf("entry %d is %s, want a tombstone of %s", i, got[i], want)
		}
	}
	if got := bob.entries(""); len(got) != 5 || got[0].Child("urn:xmpp:message-retract:1", "retracted") == nil || got[1].Child("urn:xmpp:message-retract:1", "retracted") == nil {
		t.Errorf("bob's archive has %v", got)
	}
	if _, after, _ := alice.history(""); strings.Join(after[:5], " ") != strings.Join(before, " ") {
		t.Errorf("ids were %v, and are %v", before, after)
	}
	if got := alice.entries(words("secret")); len(got) != 0 {
		t.Errorf("found after the retraction: %v", got)
	}
}

// XEP-0191, XEP-0424: the retraction by a blocked sender does not reach the receiver's archive, although sender and receiver have the
// message in one row of the database.
func TestRetractionByBlocked(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	bob.sends(`<message id='m1' type='chat' to='` + aliceBare + `'>` + body("evidence") + `</message>`)
	alice.sends(`<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='` + bobBare + `'/></block></iq>`)
	bob.sends(retract("r1", bobDesk, aliceBare, "m1"))
	if got := alice.entries(words("evidence")); len(got) != 1 {
		t.Errorf("%v", got)
	}
	if got := bob.entries(words("evidence")); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func words(text string) string {
	return `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field><field var='{urn:xmpp:fulltext:0}fulltext'><value>` + text + `</value></field></x>`
}
