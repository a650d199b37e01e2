package featuretest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

const (
	conferenceDomain = "conference.example.org"
	lobby            = "lobby@conference.example.org"
	mucNS            = "http://jabber.org/protocol/muc"
)

// to sends stanzas to a room and returns when the room has handled them, and sent what had to be archived first.
func (c *client) to(room string, xml ...string) {
	c.t.Helper()
	c.sends(xml...)
	c.sync(room)
	if err := c.s.store.Partition(room).Settle(context.Background()); err != nil {
		c.t.Fatal(err)
	}
	c.sync(room)
}

// sync waits until a room has answered.
func (c *client) sync(room string) {
	c.t.Helper()
	c.sends(ask("get", "sync", room, `<query xmlns='http://jabber.org/protocol/disco#info'/>`))
	end := time.Now().Add(patience)
	for time.Now().Before(end) {
		if c.drops("sync") {
			return
		}
		time.Sleep(time.Millisecond)
	}
	c.t.Fatalf("%s has not answered", room)
}

// drops removes a stanza with an id from what has come, and reports whether there was one.
func (c *client) drops(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, st := range c.got {
		if st.ID == id {
			c.got = append(c.got[:i:i], c.got[i+1:]...)
			return true
		}
	}
	return false
}

// patience is how long a room may take on a busy machine.
const patience = time.Minute

func enters(room, nick string) string {
	return `<presence to='` + room + `/` + nick + `'><x xmlns='` + mucNS + `'/></presence>`
}

func leaves(room, nick string) string {
	return `<presence to='` + room + `/` + nick + `' type='unavailable'/>`
}

// configures is the submission of a room's configuration form; without fields it accepts the defaults.
func configures(room string, fields ...string) string {
	x := ""
	for i := 0; i < len(fields); i += 2 {
		x += value("muc#roomconfig_"+fields[i], fields[i+1])
	}
	return ask("set", "configure", room, `<query xmlns='`+mucNS+`#owner'>`+submitted(mucNS+"#roomconfig", x)+`</query>`)
}

func affiliates(room, who, affiliation string) string {
	return ask("set", "affiliate", room, `<query xmlns='`+mucNS+`#admin'><item jid='`+who+`' affiliation='`+affiliation+`'/></query>`)
}

func destroys(room string) string {
	return ask("set", "destroy", room, `<query xmlns='`+mucNS+`#owner'><destroy><reason>Over</reason></destroy></query>`)
}

// conditions are the conditions of the errors that a client has got since the last take, and their number.
func (c *client) conditions() string {
	var list []string
	for _, st := range c.take() {
		if e := st.Err(); e != nil {
			list = append(list, e.Condition)
		}
	}
	return strings.Join(list, " ")
}

// roomsOf are the addresses in the list of a conference service.
func (c *client) roomsOf(domain string) string {
	c.t.Helper()
	c.take()
	c.to(domain, ask("get", "list", domain, `<query xmlns='http://jabber.org/protocol/disco#items'/>`))
	var list []string
	for _, st := range c.take() {
		for e := range st.FirstChild().Elements() {
			if j := e.Attr("jid"); j != "" {
				list = append(list, j)
			}
		}
	}
	return strings.Join(list, " ")
}

func TestConference(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	s := startAt(t, url, "alice", "bob", "carol")
	alice, bob := s.online(alicePC), s.online(bobDesk)

	alice.sends(ask("get", "1", "example.org", `<query xmlns='http://jabber.org/protocol/disco#items'/>`))
	if got := show(alice.take()); !strings.Contains(got, conferenceDomain) {
		t.Error("the host does not list the service: " + got)
	}
	alice.to(conferenceDomain, ask("get", "1", conferenceDomain, `<query xmlns='http://jabber.org/protocol/disco#info'/>`))
	alice.gets(`<iq type='result' id='1' from='conference.example.org'><query xmlns='http://jabber.org/protocol/disco#info'><identity category='conference' type='text'/><feature var='` + mucNS + `'/></query></iq>`)

	// A reserved room is locked until its owner has configured it (XEP-0045 §10.1.3).
	alice.to(lobby, enters(lobby, "Al"))
	alice.gets(`<presence from='`+lobby+`/Al'><x xmlns='`+mucNS+`#user'><item affiliation='owner' role='moderator'/><status code='110'/><status code='201'/></x></presence>`,
		`<message type='groupchat'><subject/></message>`)
	bob.to(lobby, enters(lobby, "Bob"))
	if got := bob.conditions(); got != "item-not-found" {
		t.Errorf("a locked room was entered: %s", got)
	}
	if got := bob.roomsOf(conferenceDomain); got != "" {
		t.Errorf("a locked room is listed: %s", got)
	}
	alice.to(lobby, ask("get", "form", lobby, `<query xmlns='`+mucNS+`#owner'/>`), configures(lobby, "roomname", "The lobby", "persistentroom", "1", "roomdesc", "For all"))
	alice.getsSome(`<iq type='result' id='form'><query xmlns='`+mucNS+`#owner'><x xmlns='jabber:x:data' type='form'><field var='muc#roomconfig_roomname'/></x></query></iq>`,
		result("configure"), `<message type='groupchat'><x xmlns='`+mucNS+`#user'><status code='104'/></x></message>`)

	bob.to(lobby, enters(lobby, "Bob"))
	if got := show(bob.take()); !strings.Contains(got, "lobby@conference.example.org/Al") || strings.Contains(got, "alice@example.org") {
		t.Errorf("what Bob gets on entering: %s", got)
	}
	alice.gets(`<presence from='` + lobby + `/Bob'><x xmlns='` + mucNS + `#user'><item affiliation='none' role='participant' jid='bob@example.org/desk'/></x></presence>`)
	bob.to(lobby, `<message type='groupchat' id='m1' to='`+lobby+`'><body>hello</body></message>`)
	for _, c := range []*client{alice, bob} {
		c.gets(`<message type='groupchat' id='m1' from='` + lobby + `/Bob'><body>hello</body></message>`)
	}
	alice.to(lobby, `<message type='groupchat' to='`+lobby+`'><subject>News</subject></message>`, affiliates(lobby, "carol@example.org", "member"), affiliates(lobby, "eve@example.org", "outcast"))
	if got := bob.roomsOf(conferenceDomain); got != lobby {
		t.Errorf("listed: %s", got)
	}

	// A temporary room ends when everybody has left.
	const talk = "talk@conference.example.org"
	bob.to(talk, enters(talk, "Bob"), configures(talk))
	if got := alice.roomsOf(conferenceDomain); got != lobby+" "+talk {
		t.Errorf("listed: %s", got)
	}
	bob.drop()
	alice.to(talk)
	alice.to(lobby)
	if got := show(alice.take()); !strings.Contains(got, "type='unavailable'") || !strings.Contains(got, lobby+"/Bob") {
		t.Errorf("nobody has noticed that Bob is gone: %s", got)
	}
	if got := alice.roomsOf(conferenceDomain); got != lobby {
		t.Errorf("listed: %s", got)
	}

	// What is to last does.
	s.stop()
	if got := show(alice.take()); !strings.Contains(got, "code='332'") {
		t.Errorf("at the stop: %s", got)
	}
	s = startAt(t, url)
	carol := s.online("carol@example.org/x")
	carol.to(lobby, enters(lobby, "Carol"), ask("get", "i", lobby, `<query xmlns='http://jabber.org/protocol/disco#info'/>`))
	if got := show(carol.take()); !strings.Contains(got, `affiliation='member'`) || !strings.Contains(got, "<subject>News</subject>") ||
		!strings.Contains(got, "The lobby") || !strings.Contains(got, "For all") {
		t.Errorf("after a restart: %s", got)
	}
	alice = s.online(alicePC)
	alice.to(lobby, enters(lobby, "Al"), ask("get", "b", lobby, `<query xmlns='`+mucNS+`#admin'><item affiliation='outcast'/></query>`))
	if got := show(alice.take()); !strings.Contains(got, "eve@example.org") || !strings.Contains(got, "affiliation='owner'") {
		t.Errorf("after a restart: %s", got)
	}
	carol.take()
	alice.to(lobby, destroys(lobby))
	carol.gets(`<presence type='unavailable' from='` + lobby + `/Carol'><x xmlns='` + mucNS + `#user'><item role='none'/><destroy><reason>Over</reason></destroy></x></presence>`)
	if got := carol.roomsOf(conferenceDomain); got != "" {
		t.Errorf("listed: %s", got)
	}
}

// Who may not create a room, or has created enough, is refused, and no room is left.
func TestConferenceCreation(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) { c.Rooms.PerAccount, c.Server.Admins = 2, []string{"boss@example.org"} }, "alice", "boss")
	alice, boss := s.online(alicePC), s.online(bossPC)
	room := func(name string, i int) string { return fmt.Sprintf("%s%d@conference.example.org", name, i) }
	for i, want := range []string{"", "", "resource-constraint"} {
		at := room("a", i)
		alice.to(conferenceDomain, enters(at, "Al"))
		alice.to(at)
		if got := alice.conditions(); got != strings.TrimSpace(want+" item-not-found") && got != want {
			t.Errorf("room %d: %s", i, got)
		}
	}
	for i := range 4 {
		boss.to(room("b", i), enters(room("b", i), "Boss"))
	}
	if got := boss.conditions(); got != "" {
		t.Errorf("an administrator: %s", got)
	}
	alice.to(room("a", 0), leaves(room("a", 0), "Al")) // it was not configured: it ends
	alice.take()
	alice.to(room("a", 3), enters(room("a", 3), "Al"))
	if got := alice.conditions(); got != "" {
		t.Errorf("a room instead of another one: %s", got)
	}
	s.reload(func(c *config.Config) { c.Rooms.Create = "admins" })
	alice.sends(leaves(room("a", 3), "Al"), leaves(room("a", 1), "Al"))
	alice.to(room("a", 1))
	alice.take()
	alice.to(room("a", 4), enters(room("a", 4), "Al"))
	if got := alice.conditions(); !strings.HasPrefix(got, "not-allowed") {
		t.Errorf("after the reload: %s", got)
	}
	s.router.Route(parse(t, `<presence from='romeo@remote.example/x' to='`+room("r", 0)+`/Romeo'><x xmlns='`+mucNS+`'/></presence>`))
	boss.to(room("r", 0))
	if got := show(s.remote.take()); !strings.Contains(got, "not-allowed") {
		t.Errorf("a stranger: %s", got)
	}
	for _, c := range s.counts() {
		if c.Limit == "rooms.per_account" && c.Times != 1 {
			t.Errorf("%+v", c)
		}
	}
}

// Limits of messages, and errors that change nothing.
func TestConferenceLimits(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) {
		c.Rooms.Messages, c.Rooms.MessageBytes, c.Rooms.NickBytes, c.Rooms.SubjectBytes = 1, 500, 20, 20
	}, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	alice.to(lobby, enters(lobby, "Al"), configures(lobby))
	alice.take()
	bob.to(lobby, enters(lobby, strings.Repeat("b", 21)), `<message type='groupchat' to='`+lobby+`'><body>from outside</body></message>`)
	if got := bob.conditions(); got != "not-acceptable not-acceptable" {
		t.Errorf("a long nick, and a message of who is not in the room: %s", got)
	}
	say := `<message type='groupchat' to='` + lobby + `'><body>hi</body></message>`
	alice.to(lobby, `<message type='groupchat' to='`+lobby+`'><body>`+strings.Repeat("x", 500)+`</body></message>`,
		`<message type='groupchat' to='`+lobby+`'><subject>`+strings.Repeat("x", 21)+`</subject></message>`)
	if got := alice.take(); len(got) != 2 || got[0].Type != "error" || got[1].Type != "error" {
		t.Errorf("too large: %s", show(got))
	}
	alice.to(lobby, say, say)
	alice.getsSome(`<message type='error'><error type='wait'><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`, `<message type='groupchat'><body>hi</body></message>`)
}

// What an account is in rooms ends with the account: whoever gets the name has none of its rights.
func TestCVE_2024_25420_RoomsOfDeletedAccounts(t *testing.T) {
	t.Parallel()
	const shared, own = "shared@conference.example.org", "own@conference.example.org"
	url := storetest.URL(t)
	s := startAt(t, url, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	for _, at := range []string{shared, own} {
		alice.to(at, enters(at, "Al"), configures(at, "persistentroom", "1", "membersonly", "1"))
	}
	alice.to(shared, affiliates(shared, "bob@example.org", "member"))
	bob.to(shared, enters(shared, "Bob"))
	bob.take()
	alice.sends(`<iq type='set' id='bye'><query xmlns='jabber:iq:register'><remove/></query></iq>`)
	end := time.Now().Add(patience)
	gone := func() bool {
		var n int
		if err := s.store.Reader().QueryRow(`SELECT (SELECT count(*) FROM accounts WHERE jid = 'alice@example.org') + (SELECT count(*) FROM room_affiliations WHERE jid = 'alice@example.org')`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n == 0
	}
	for !gone() && time.Now().Before(end) {
		time.Sleep(5 * time.Millisecond)
	}
	if !gone() {
		t.Fatal("the account is still there")
	}
	bob.to(shared)
	if got := bob.roomsOf(conferenceDomain); got != shared {
		t.Errorf("left: %s", got)
	}
	s.stop()
	s = startAt(t, url, "alice")
	again := s.online(alicePC)
	again.to(shared, enters(shared, "Al"), ask("get", "o", shared, `<query xmlns='`+mucNS+`#owner'/>`))
	if got := again.conditions(); got != "registration-required forbidden" {
		t.Errorf("who has the name now: %s", got)
	}
}

// Sessions whose address ends without a sign are removed when a stanza to them comes back (XEP-0045 §18.1.2).
func TestConferenceDeadOccupants(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) { c.Rooms.Create = "anyone" }, "alice")
	alice := s.online(alicePC)
	alice.to(lobby, enters(lobby, "Al"), configures(lobby))
	s.router.Route(parse(t, `<presence from='gw.example.org/x' to='`+lobby+`/Gate'><x xmlns='`+mucNS+`'/></presence>`))
	alice.to(lobby)
	alice.take()
	s.router.Detach(gateway) // as a component whose connection is lost
	s.router.SetRemote(nil)
	alice.to(lobby, `<message type='groupchat' to='`+lobby+`'><body>hi</body></message>`)
	alice.to(lobby)
	var kinds []string
	for _, st := range alice.take() {
		kinds = append(kinds, st.Kind.String()+" "+st.Type+" "+st.From.Resource())
	}
	if got := strings.Join(kinds, ", "); got != "message groupchat Al, presence unavailable Gate" {
		t.Errorf("got %s", got)
	}
}

// Administrators list, change and destroy rooms; others do not find the commands.
func TestRoomCommands(t *testing.T) {
	t.Parallel()
	s := startManaged(t, "alice", "bob")
	alice, boss, bob := s.online(alicePC), s.online(bossPC), s.online(bobDesk)
	alice.to(lobby, enters(lobby, "Al"), configures(lobby, "persistentroom", "1", "publicroom", "0"))
	if got := outcome(alice.runsNode("rooms-list", nil)); got != "forbidden" && got != "item-not-found" {
		t.Errorf("a user: %s", got)
	}
	list := boss.runsNode("rooms-list", values{})
	if got := list.String(); !strings.Contains(got, lobby) || !strings.Contains(got, "alice@example.org") {
		t.Errorf("list: %s", got)
	}
	if got := boss.runsNode("rooms-change", values{"room": "none@conference.example.org"}); outcome(got) != "item-not-found" {
		t.Errorf("a room that does not exist: %s", got)
	}
	step := boss.runsNode("rooms-change", values{"room": lobby})
	session := step.FirstChild().Attr("sessionid")
	boss.sends(execute("rooms-change", session, values{"name": "New", "membersonly": "1", "owners": "bob@example.org"}.submit()))
	if got := outcome(boss.answer()); !strings.HasPrefix(got, "completed") {
		t.Errorf("change: %s", got)
	}
	bob.to(lobby, enters(lobby, "Bob"), ask("get", "i", lobby, `<query xmlns='http://jabber.org/protocol/disco#info'/>`))
	if got := show(bob.take()); !strings.Contains(got, "affiliation='owner'") || !strings.Contains(got, "name='New'") || !strings.Contains(got, "muc_membersonly") {
		t.Errorf("after the change: %s", got)
	}
	if got := outcome(boss.runsNode("rooms-destroy", values{"room": lobby, "reason": "Spam"})); !strings.HasPrefix(got, "completed") {
		t.Errorf("destroy: %s", got)
	}
	if got := show(bob.take()); !strings.Contains(got, "<reason>Spam</reason>") {
		t.Errorf("destroyed: %s", got)
	}
}

// runsNode is runs for a command that is not one of XEP-0133.
func (c *client) runsNode(node string, fields values) *stanza.Stanza {
	c.t.Helper()
	c.take()
	c.sends(execute(node, "", ""))
	st := c.answer()
	if fields == nil || st.Err() != nil {
		return st
	}
	c.sends(execute(node, st.FirstChild().Attr("sessionid"), fields.submit()))
	return c.answer()
}
