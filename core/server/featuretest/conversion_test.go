package featuretest

import (
	"crypto/sha1"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/features/private"
	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/jid"
)

const (
	bookmarkNS = "urn:xmpp:bookmarks:1"
	hallRoom   = "hall@rooms.example"
	cafe       = "cafe@rooms.example"
)

func conference(name, autojoin, more string) string {
	x := `<conference xmlns='` + bookmarkNS + `' name='` + name + `'`
	if autojoin != "" {
		x += ` autojoin='` + autojoin + `'`
	}
	return x + `>` + more + `</conference>`
}

func privateXML(inner string) string {
	return `<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'>` + inner + `</storage></query>`
}

func bookmarkOptions() string {
	return options("pubsub#persist_items", "true", "pubsub#max_items", "max", "pubsub#send_last_published_item", "never", "pubsub#access_model", "whitelist")
}

// bookmarked is what the three ways to read bookmarks give, each as one text.
func (c *client) bookmarked() (modern, private, node string) {
	c.t.Helper()
	c.take()
	c.sends(pubsub("get", "m", "", `<items node='`+bookmarkNS+`'/>`), ask("get", "p", "", privateXML("")), pubsub("get", "n", "", `<items node='storage:bookmarks'/>`))
	got := c.take()
	return got[0].Payload, got[1].Payload, got[2].Payload
}

// has checks that texts have, or with a ! in front do not have, all of some parts.
func has(t *testing.T, texts []string, parts ...string) {
	t.Helper()
	for _, text := range texts {
		for _, part := range parts {
			want, not := strings.CutPrefix(part, "!")
			if strings.Contains(text, want) == not {
				t.Errorf("%q in %s", part, text)
			}
		}
	}
}

// XEP-0402 §3.4: bookmarks are the same for clients of each kind, and what only new clients know is kept
func TestBookmarks(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	wanting := announce(bookmarkNS + "+notify")
	alice, phone := s.online(alicePC), s.login(phoneJID).announces(wanting)
	const pinned = `<extensions><pinned xmlns='urn:xmpp:bookmarks-pinning:0'/></extensions>`
	alice.sends(pubsub("set", "1", "", publish(bookmarkNS, hallRoom, conference("Hall", "true", `<nick>Al</nick>`+pinned))+bookmarkOptions()))
	phone.take()
	modern, old, node := alice.bookmarked()
	has(t, []string{modern}, "id='"+hallRoom+"'", "pinned")
	has(t, []string{old, node}, "jid='"+hallRoom+"'", "name='Hall'", "<nick>Al</nick>", "autojoin='true'", "!pinned")

	// An old client adds a room and an address, and leaves the other as it is.
	hall := `<conference jid='` + hallRoom + `' name='Hall' autojoin='1'><nick>Al</nick></conference>`
	alice.sends(ask("set", "2", "", privateXML(hall+`<conference jid='`+cafe+`' name='Cafe'/><url name='W' url='https://example.org/'/>`)))
	phone.gets(event(phoneJID, published(bookmarkNS, cafe, conference("Cafe", "", ""))))
	modern, old, node = alice.bookmarked()
	has(t, []string{modern}, "pinned", hallRoom, cafe)
	has(t, []string{old, node}, hallRoom, cafe)
	has(t, []string{old}, "https://example.org/")

	// A client of the version between removes the first one and renames the other.
	alice.sends(pubsub("set", "3", "", publish("storage:bookmarks", "current", `<storage xmlns='storage:bookmarks'><conference jid='`+cafe+`' name='Bar'/></storage>`)))
	phone.gets(event(phoneJID, published(bookmarkNS, cafe, conference("Bar", "", ""))), event(phoneJID, `<items node='`+bookmarkNS+`'><retract id='`+hallRoom+`'/></items>`))
	modern, old, node = alice.bookmarked()
	has(t, []string{modern, old, node}, "!"+hallRoom, cafe, "name='Bar'")

	// A new client removes the last one.
	alice.sends(pubsub("set", "4", "", `<retract node='`+bookmarkNS+`' notify='1'><item id='`+cafe+`'/></retract>`))
	modern, old, node = alice.bookmarked()
	has(t, []string{modern, old, node}, "!"+cafe)
	alice.sends(ask("get", "5", "", `<query xmlns='http://jabber.org/protocol/disco#info'/>`))
	has(t, []string{alice.take()[0].Payload}, bookmarkNS+"#compat'", bookmarkNS+"#compat-pep'")
}

// Bookmarks that were stored before there were nodes are there for a new client.
func TestBookmarksOfBefore(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	xml := `<storage xmlns='storage:bookmarks'><conference jid='` + hallRoom + `' name='Hall' autojoin='true'/></storage>`
	if err := s.store.SetPrivate(t.Context(), jid.MustParse(aliceBare), []private.Item{{Space: "storage:bookmarks", Name: "storage", XML: xml}}); err != nil {
		t.Fatal(err)
	}
	alice := s.online(alicePC)
	modern, old, node := alice.bookmarked()
	has(t, []string{modern, old, node}, hallRoom, "name='Hall'")
}

// XEP-0398, XEP-0153: the avatar is the photo of the vCard for those who may see it, and its hash is in the presence
func TestAvatar(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob", "carol")
	s.put(aliceBare, bobBare, roster.Item{Subscription: roster.Both})
	s.put(bobBare, aliceBare, roster.Item{Subscription: roster.Both})
	alice, bob, carol := s.online(alicePC), s.online(bobDesk), s.online("carol@example.org/x")
	image := []byte("not really an image")
	sum := sha1.Sum(image)
	id, data := hex.EncodeToString(sum[:]), base64.StdEncoding.EncodeToString(image)
	const card = `<vCard xmlns='vcard-temp'/>`
	alice.sends(ask("set", "0", "", `<vCard xmlns='vcard-temp'><FN>Alice</FN></vCard>`),
		pubsub("set", "1", "", publish("urn:xmpp:avatar:data", id, `<data xmlns='urn:xmpp:avatar:data'>`+data+`</data>`)),
		pubsub("set", "2", "", publish("urn:xmpp:avatar:metadata", id, `<metadata xmlns='urn:xmpp:avatar:metadata'><info id='`+id+`' type='image/png' bytes='19'/></metadata>`)))
	bob.take()
	photo := `<iq type='result' id='3'><vCard xmlns='vcard-temp'><FN>Alice</FN><PHOTO><TYPE>image/png</TYPE><BINVAL>` + data + `</BINVAL></PHOTO></vCard></iq>`
	bob.sends(ask("get", "3", aliceBare, card))
	bob.gets(photo)
	carol.sends(ask("get", "3", aliceBare, card))
	if got := carol.take(); strings.Contains(got[0].Payload, "PHOTO") { // XEP-0398 §6: the node is for contacts
		t.Errorf("%s", show(got))
	}
	update := `<x xmlns='vcard-temp:x:update'><photo>` + id + `</photo></x>`
	for _, own := range []string{"", `<x xmlns='vcard-temp:x:update'/>`} {
		alice.sends(`<presence>` + own + `</presence>`)
		got := bob.take()
		if len(got) != 1 || strings.Count(got[0].Payload, "vcard-temp:x:update") != 1 || differs(parseElement(t, `<presence from='`+alicePC+`'>`+update+`</presence>`), got[0].Tree()) != "" {
			t.Errorf("%s", show(got))
		}
	}
	alice.sends(`<presence><x xmlns='vcard-temp:x:update'><photo/></x></presence>`) // left as it is
	if got := bob.take(); strings.Contains(got[0].Payload, id) {
		t.Errorf("%s", show(got))
	}
	alice.sends(`<presence to='room@remote.example/al'/>`)
	s.remote.gets(`<presence from='` + alicePC + `'>` + update + `</presence>`)

	// An old client stores another photo.
	alice.take()
	other := []byte("another image")
	sum = sha1.Sum(other)
	id, data = hex.EncodeToString(sum[:]), base64.StdEncoding.EncodeToString(other)
	alice.sends(ask("set", "4", "", `<vCard xmlns='vcard-temp'><FN>Al</FN><PHOTO><TYPE>image/jpeg</TYPE><BINVAL>`+data+`</BINVAL></PHOTO></vCard>`))
	alice.gets(result("4"))
	bob.sends(pubsub("get", "5", aliceBare, `<items node='urn:xmpp:avatar:metadata'/>`), ask("get", "6", aliceBare, card))
	bob.gets(`<iq type='result' id='5'><pubsub xmlns='`+pubsubNS+`'>`+published("urn:xmpp:avatar:metadata", id,
		`<metadata xmlns='urn:xmpp:avatar:metadata'><info id='`+id+`' type='image/jpeg' bytes='13'/></metadata>`)+`</pubsub></iq>`,
		`<iq type='result' id='6'><vCard xmlns='vcard-temp'><FN>Al</FN><PHOTO><TYPE>image/jpeg</TYPE><BINVAL>`+data+`</BINVAL></PHOTO></vCard></iq>`)
	alice.sends(pubsub("set", "7", "", publish("urn:xmpp:avatar:metadata", "x", `<metadata xmlns='urn:xmpp:avatar:metadata'/>`))) // no avatar any more
	bob.sends(ask("get", "8", aliceBare, card))
	if got := bob.take(); strings.Contains(got[0].Payload, "PHOTO") {
		t.Errorf("%s", show(got))
	}
}

// Bookmarks of before are taken over in one transaction: if one of them cannot be written, none of them is, and the next request takes
// over all.
func TestBookmarksTakenOverTogether(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	account := jid.MustParse(aliceBare)
	xml := `<storage xmlns='storage:bookmarks'><conference jid='` + hallRoom + `' name='Hall'/><conference jid='` + cafe + `' name='Cafe'/></storage>`
	if err := s.store.SetPrivate(t.Context(), account, []private.Item{{Space: "storage:bookmarks", Name: "storage", XML: xml}}); err != nil {
		t.Fatal(err)
	}
	change := func(query string) {
		t.Helper()
		if err := s.store.Partition(aliceBare).Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(query); return err }); err != nil {
			t.Fatal(err)
		}
	}
	alice := s.online(alicePC)
	for _, fails := range []string{bookmarkNS, "storage:bookmarks"} { // at the second item, and at the other node
		where := `node = '` + fails + `'`
		if fails != bookmarkNS {
			where = `node LIKE '%bookmarks%' AND item <> '` + hallRoom + `'`
		}
		change(`CREATE UNIQUE INDEX fails ON pubsub_items (publisher) WHERE ` + where)
		alice.take()
		alice.sends(pubsub("get", "m", "", `<items node='`+bookmarkNS+`'/>`))
		if got := alice.take(); len(got) != 1 || got[0].Type != "error" {
			t.Errorf("%s: %s", fails, show(got))
		}
		var nodes int
		if err := s.store.Reader().QueryRow(`SELECT count(*) FROM pubsub_nodes WHERE service = '` + aliceBare + `'`).Scan(&nodes); err != nil || nodes != 0 {
			t.Errorf("%s: %d nodes are left: %v", fails, nodes, err)
		}
		change(`DROP INDEX fails`)
	}
	modern, old, node := alice.bookmarked()
	has(t, []string{modern, old, node}, hallRoom, cafe, "name='Hall'", "name='Cafe'")
}
