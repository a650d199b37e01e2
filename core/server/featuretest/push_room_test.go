package featuretest

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/notification"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const roomBare = "room@rooms.example.org"

// bookmark is the request that bookmarks the room.
func bookmark(attrs, extensions string) string {
	return pubsub("set", "b", "", publish(bookmarkNS, roomBare, `<conference xmlns='`+bookmarkNS+`'`+attrs+`><nick>Al</nick>`+
		`<extensions><notify xmlns='urn:xmpp:notification-settings:1'>`+extensions+`</notify></extensions></conference>`))
}

// roomSays sends a message of a room of this server, of which some accounts are members; who has bookmarked it may enter. It returns what the
// push service of others than carol gets: she is the last member and is notified of all messages, so that what precedes it has come.
func (s *testServer) roomSays(id, inner string, members ...string) (got []*stanza.Stanza) {
	s.t.Helper()
	at := jid.MustParse(roomBare)
	from, _ := at.WithResource("Dan")
	st := &stanza.Stanza{Kind: stanza.Message, Type: stanza.TypeGroupchat, ID: id, From: from, Payload: inner}
	list := func(_ context.Context, bookmarked []jid.JID) (list []notification.Member, _ error) {
		for _, m := range members {
			list = append(list, notification.Member{Account: jid.MustParse(m)})
		}
		for _, j := range bookmarked {
			if j.Local() != "carol" {
				list = append(list, notification.Member{Account: j})
			}
		}
		return append(list, notification.Member{Account: jid.MustParse("carol@example.org")}), nil
	}
	s.version++
	s.rooms.Room(s.t.Context(), notification.Message{Room: at, Stanza: st, Public: true, Version: s.version, Members: list})
	for notification.Notable(st) {
		for _, st := range s.gateway.take() {
			s.gateway.sends(`<iq type='result' id='` + st.ID + `' from='gw.example.org' to='` + st.From.String() + `'/>`)
			if st.From.Local() == "carol" {
				return got
			}
			got = append(got, st)
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

// carolIsNotified has carol notified of all messages of the room.
func (s *testServer) carolIsNotified() {
	s.t.Helper()
	c := s.online("carol@example.org/last")
	c.sends(ask("set", "1", "", enablePush), bookmark(" autojoin='true'", "<always/>"))
	s.settle()
	c.drop()
}

// XEP-0357 for rooms: members and those with a bookmark are notified without a session in the room, as XEP-0492 and XEP-0513 say.
func TestPushFromRooms(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "carol")
	s.carolIsNotified()
	alice := s.online(alicePC)
	sent := 0
	says := func(inner string, want bool, members ...string) {
		t.Helper()
		sent++
		got := s.roomSays(strconv.Itoa(sent), inner, members...)
		if (len(got) == 1) != want || len(got) > 1 {
			t.Errorf("message %d, %s: %s", sent, inner, show(got))
		}
	}
	set := func(request string) {
		t.Helper()
		alice.sends(request)
		alice.take()
		s.settle()
	}
	alice.reach = router.Inactive
	says(body("Al?"), false, aliceBare) // nothing is enabled
	set(ask("set", "1", "", enablePush))
	says(body("hello"), false, aliceBare)
	says(body("hello alice"), true, aliceBare) // its name where it has no nickname
	says(body("hello alice"), false)           // nobody is a member
	set(bookmark(" autojoin='true'", ""))
	says(body("hello Al"), true)
	says(body("hello"), false)
	set(bookmark(" autojoin='true'", "<always/>"))
	says(body("hello"), true)
	says("<subject>x</subject>", false)
	set(bookmark(" autojoin='true'", "<always/><never identity-category='client' identity-type='phone'/>"))
	says(body("hello Al"), false)
	set(bookmark("", "<always/>"))
	says(body("hello Al"), false, aliceBare) // it has left
	set(pubsub("set", "r", "", `<retract node='`+bookmarkNS+`'><item id='`+roomBare+`'/></retract>`))
	says(body("hello Al"), false)
	set(bookmark(" autojoin='true'", "<always/>"))
	alice.reach = router.Active
	says(body("hello"), false) // it is in use
	alice.reach = router.Detached
	says(body("hello"), true)
	for _, blocked := range []string{roomBare, roomBare + "/Dan", "rooms.example.org"} {
		set(ask("set", "k", "", block(blocked)))
		says(body("hello"), false)
		set(ask("set", "u", "", strings.NewReplacer("<block", "<unblock", "</block", "</unblock").Replace(block(blocked))))
	}
	alice.drop()
	says(body("hello"), true)
	if err := s.store.DeleteAccount(t.Context(), alice.jid.Bare()); err != nil {
		t.Fatal(err)
	}
	says(body("hello"), false)
}

// A message of a room on another server reaches a session that nobody uses: it is told once for several sessions.
func TestPushFromRoomsElsewhere(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) { c.Push.Rooms = "always" }, "alice")
	alice, phone := s.online(alicePC), s.online("alice@example.org/phone")
	alice.sends(ask("set", "1", "", enablePush))
	for _, c := range []*client{alice, phone} {
		c.sends(`<presence to='lobby@muc.remote.example/Al'><x xmlns='http://jabber.org/protocol/muc'/></presence>`)
	}
	alice.take()
	n := 0
	says := func(nick, inner string, reach ...router.Reach) int {
		t.Helper()
		n++
		alice.reach, phone.reach = reach[0], reach[1]
		for _, c := range []*client{alice, phone} {
			s.remote.sends(`<message type='groupchat' id='i` + strconv.Itoa(n) + `' from='lobby@muc.remote.example/` + nick + `' to='` + c.jid.String() + `'>` + inner + `</message>`)
		}
		return s.gateway.answers("")
	}
	for _, c := range []struct {
		nick, inner string
		reach       []router.Reach
		want        int
	}{
		{"Bob", body("hello"), []router.Reach{router.Active, router.Active}, 0},
		{"Bob", body("hello"), []router.Reach{router.Active, router.Detached}, 0},
		{"Bob", body("hello"), []router.Reach{router.Inactive, router.Detached}, 1},
		{"Bob", body(""), []router.Reach{router.Detached, router.Detached}, 0},
		{"Al", body("hello"), []router.Reach{router.Detached, router.Detached}, 0}, // its own
		{"Bob", body("hello") + `<replace xmlns='urn:xmpp:message-correct:0' id='1'/>`, []router.Reach{router.Detached, router.Detached}, 0},
	} {
		if got := says(c.nick, c.inner, c.reach...); got != c.want {
			t.Errorf("%+v: %d notifications", c, got)
		}
	}
	alice.reach = router.Active
	alice.sends(strings.ReplaceAll(bookmark(" autojoin='true'", "<on-mention/>"), roomBare, "lobby@muc.remote.example"))
	s.settle()
	both := []router.Reach{router.Detached, router.Detached}
	if says("Bob", body("hello"), both...) != 0 || says("Bob", body("hello Al"), both...) != 1 {
		t.Error("the setting of the bookmark does not count")
	}
}

// push.accounts is how many accounts are told of one message.
func TestPushAccounts(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) { c.Push.Accounts, c.Push.Rooms = 1, "always" }, "alice", "carol")
	s.carolIsNotified()
	alice := s.online(alicePC)
	alice.sends(ask("set", "1", "", enablePush))
	alice.drop()
	if got := s.roomSays("1", body("hello"), "carol@example.org", aliceBare); len(got) != 0 {
		t.Error(show(got))
	}
	for _, c := range s.counts() {
		if c.Limit == "push.accounts" && c.Times != 1 {
			t.Errorf("counted %d times", c.Times)
		}
	}
}

// XEP-0492 §3: the identity of the client that has enabled a push service decides, also if it becomes known later or the client is away; that of a
// phone counts as long as it is not known.
func TestPushFromRoomsByIdentity(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "carol")
	s.carolIsNotified()
	desktop, enable := announce(nick+"+notify"), func(node string) string {
		return ask("set", "1", "", strings.Replace(enablePush, "n1", node, 1))
	}
	alice, phone := s.login(alicePC), s.login(phoneJID)
	phone.sends("<presence/>", enable("phone"))
	alice.sends(desktop.presence(), enable("late"))
	phone.sends(bookmark(" autojoin='true'", "<never/><always identity-category='client' identity-type='phone'/>"))
	nodes := func(id string) string {
		t.Helper()
		s.settle()
		alice.reach, phone.reach = router.Inactive, router.Inactive
		list := map[string]bool{}
		for _, st := range s.roomSays(id, body("hello")) {
			list[st.Child(pubsubNS, "pubsub").Child(pubsubNS, "publish").Attr("node")] = true
		}
		return strings.Join(slices.Sorted(maps.Keys(list)), " ")
	}
	if got := nodes("1"); got != "late phone" {
		t.Errorf("before the client has answered: %q", got)
	}
	asked := alice.questions()
	if len(asked) != 1 {
		t.Fatal(asked)
	}
	alice.sends(desktop.answer(asked[0]))
	if got := nodes("2"); got != "phone" {
		t.Errorf("after the client has answered: %q", got)
	}
	alice.sends(enable("early"))
	if got := nodes("3"); got != "phone" {
		t.Errorf("with one more service of a client that is known: %q", got)
	}
	phone.sends(bookmark(" autojoin='true'", "<always/><never identity-category='client' identity-type='phone'/>"))
	if got := nodes("4"); got != "early late" {
		t.Errorf("with other settings: %q", got)
	}
	alice.drop()
	phone.drop()
	if got := nodes("5"); got != "early late" {
		t.Errorf("without a session: %q", got)
	}
}
