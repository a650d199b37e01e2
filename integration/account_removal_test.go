package integration_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// TestAccountRemoval deletes an account that has a contact, messages, data and a linked login: by a client of
// the account, from the command line while the server runs, and while it is stopped.
func TestAccountRemoval(t *testing.T) {
	t.Parallel()
	byOwner := func(ctx context.Context, t *testing.T, h *deployment, conn *client.Conn) {
		if err := conn.Send("<iq type='set' id='bye'><query xmlns='jabber:iq:register'><remove/></query></iq>"); err != nil {
			t.Fatal(err)
		}
		e, err := conn.Next(ctx)
		for err == nil && e.Attr("id") != "bye" {
			e, err = conn.Next(ctx)
		}
		if err != nil || e.Attr("type") != "result" { // XEP-0077 §3.2
			t.Errorf("remove: %v, %v", e, err)
		}
	}
	byCommand := func(_ context.Context, t *testing.T, h *deployment, _ *client.Conn) {
		out, err := h.gateway.Run("", "account", "rm", "--yes", testAccounts[1].User)
		if err != nil || !strings.Contains(out, "is deleted") {
			t.Errorf("account rm: %v %s", err, out)
		}
	}
	whileStopped := func(_ context.Context, t *testing.T, h *deployment, _ *client.Conn) {
		h.gateway.Kill()
		out, err := h.gateway.Run("", "account", "rm", "--yes", testAccounts[1].User)
		if err != nil || !strings.Contains(out, "when the server runs") {
			t.Errorf("account rm: %v %s", err, out)
		}
		if _, err := h.gateway.Run("x\n", "account", "add", testAccounts[1].User); err == nil {
			t.Error("the account was made again before it was gone")
		}
		h.gateway.Start()
	}
	for name, remove := range map[string]func(context.Context, *testing.T, *deployment, *client.Conn){
		"by its owner": byOwner, "by command": byCommand, "while the server is stopped": whileStopped,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachNetwork(t, func(t *testing.T, w fakeNetwork) {
				ctx, cancel := context.WithTimeout(t.Context(), 4*peerTimeout)
				defer cancel()
				testAccountRemoval(ctx, t, w, name, remove)
			})
		})
	}
}

func testAccountRemoval(ctx context.Context, t *testing.T, w fakeNetwork, name string, remove func(context.Context, *testing.T, *deployment, *client.Conn)) {
	h := embedded(t, w)
	s := linked(ctx, t, h, w)
	simon, sally := testAccounts[1].User+"@"+testHost, testAccounts[0].User+"@"+testHost
	w.send(true, "kept")
	local, _, _ := w.friend()
	if err := s.await(ctx, func() bool { return slices.Contains(s.bodies(local+"@"+h.domain, "chat"), "kept") }); err != nil {
		t.Fatal(err)
	}
	s.leave()

	owner, err := h.server.Dial(ctx, testAccounts[1], "last")
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Drop()
	friend, err := h.server.Dial(ctx, testAccounts[0], "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { friend.Drop() }()
	for _, step := range []struct {
		conn *client.Conn
		text string
	}{
		{owner, "<presence/>"}, {friend, "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq><presence/>"},
		{owner, "<presence type='subscribe' to='" + sally + "'/>"}, {owner, "<presence type='subscribed' to='" + sally + "'/>"},
		{friend, "<presence type='subscribe' to='" + simon + "'/>"}, {friend, "<presence type='subscribed' to='" + simon + "'/>"},
		{owner, "<iq type='set' id='v'><vCard xmlns='vcard-temp'><FN>Simon</FN></vCard></iq>"},
		{owner, "<iq type='set' id='p'><query xmlns='jabber:iq:private'><x xmlns='urn:test'/></query></iq>"},
		{owner, "<iq type='set' id='e'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:test'><item><x xmlns='urn:test'/></item></publish></pubsub></iq>"},
		{owner, "<iq type='set' id='f' to='pubsub." + testHost + "'><pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='urn:test'/></pubsub></iq>"},
		{friend, "<iq type='set' id='g' to='pubsub." + testHost + "'><pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='urn:friend'/></pubsub></iq>"},
		{owner, "<iq type='set' id='h' to='pubsub." + testHost + "'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='urn:friend' jid='" + simon + "'/></pubsub></iq>"},
		{owner, "<presence to='own@conference." + testHost + "/S'><x xmlns='http://jabber.org/protocol/muc'/></presence>" +
			"<iq type='set' id='own' to='own@conference." + testHost + "'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'><field var='muc#roomconfig_persistentroom'><value>1</value></field></x></query></iq>"},
		{owner, "<message type='chat' to='" + sally + "'><body>hello</body></message>"},
	} {
		if err := step.conn.Send(step.text); err != nil {
			t.Fatal(err)
		}
		if _, err := ask(ctx, step.conn, testHost, "<ping xmlns='urn:xmpp:ping'/>"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ask(ctx, owner, "own@conference."+testHost, "<query xmlns='http://jabber.org/protocol/disco#info'/>"); err != nil { // the room has done all
		t.Fatal(err)
	}
	before := rowsOf(ctx, t, h.gateway, simon)
	for _, table := range []string{"accounts", "credentials", "roster", "archive_messages", "vcards", "private_xml", "pubsub_nodes", "pubsub_items", "pubsub_affiliations", "pubsub_subscriptions", "rooms", "room_affiliations", "bridge_accounts", "bridge_rooms"} {
		if before[table] == 0 {
			t.Errorf("there is nothing in %s, and so nothing is shown: %v", table, before)
		}
	}

	remove(ctx, t, h, owner)

	err = nil
	for err == nil {
		_, err = owner.Next(ctx)
	}
	var writeFault *client.StreamError
	if name != "while the server is stopped" && (!errors.As(err, &writeFault) || writeFault.Condition != "not-authorized") { // XEP-0077 §3.2
		t.Errorf("the owner's stream ended with %v, not with not-authorized", err)
	}
	if name == "while the server is stopped" {
		checkGoneNoticesAfterLogin(ctx, t, h, simon)
	} else {
		checkGoneNotices(ctx, t, friend, simon)
	}
	if err := peers.Poll(ctx, func() error {
		left := rowsOf(ctx, t, h.gateway, simon)
		if len(left) > 0 {
			return fmt.Errorf("these rows are left: %v", left)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	var refused *client.Refused
	if _, err := h.server.Dial(ctx, testAccounts[1], ""); !errors.As(err, &refused) || refused.Condition != "not-authorized" {
		t.Errorf("a deleted account logs in: %v", err)
	}
	h.gateway.AddAccount(testAccounts[1]) // whoever takes the name next has nothing of theirs
	next, err := h.server.Dial(ctx, testAccounts[1], "")
	if err != nil {
		t.Fatal(err)
	}
	defer next.Drop()
	answer, err := ask(ctx, next, "", "<query xmlns='jabber:iq:roster'/>")
	if err != nil || answer.Find("query", "item") != nil {
		t.Errorf("the roster of the next: %v, %v", answer, err)
	}
	if h.gateway.Log().Contains("level=ERROR") {
		line, _ := h.gateway.Log().Last("level=ERROR")
		t.Errorf("an error in the log: %s", line)
	}
}

// checkGoneNotices checks that a contact is notified (RFC 6121 §3.2.2, §3.3.2, XEP-0077 §3.2).
func checkGoneNotices(ctx context.Context, t *testing.T, conn *client.Conn, who string) {
	t.Helper()
	want := map[string]bool{"unavailable": true, "unsubscribe": true, "unsubscribed": true}
	for len(want) > 0 {
		e, err := conn.Next(ctx)
		if err != nil {
			t.Errorf("the contact was not told %v: %v", want, err)
			return
		}
		if from, _, _ := strings.Cut(e.Attr("from"), "/"); e.Name.Local == "presence" && from == who {
			delete(want, e.Attr("type"))
		}
	}
}

// checkGoneNoticesAfterLogin checks that a contact that was offline sees the removal in its roster.
func checkGoneNoticesAfterLogin(ctx context.Context, t *testing.T, h *deployment, who string) {
	t.Helper()
	conn, err := h.server.Dial(ctx, testAccounts[0], "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Drop()
	if err := peers.Poll(ctx, func() error {
		answer, err := ask(ctx, conn, "", "<query xmlns='jabber:iq:roster'/>")
		if err != nil {
			return err
		}
		var item *xmltree.Element
		for _, i := range answer.Children[0].Children {
			if i.Attr("jid") == who {
				item = i
			}
		}
		if item == nil || item.Attr("subscription") != "none" {
			return fmt.Errorf("the contact is %v", item)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// rowsOf counts the rows of each table that belong to an account, and all rows of the gateway, which has no
// other user.
func rowsOf(ctx context.Context, t *testing.T, d *peers.Dragoman, who string) map[string]int {
	t.Helper()
	db := storetest.DB(t, d.Data)
	defer func() { _ = db.Close() }()
	found := map[string]int{}
	const all = `(SELECT number FROM archive_accounts)`
	mine := `(SELECT number FROM archive_accounts WHERE account = '` + who + `')`
	archives := map[string]string{ // also what belongs to nobody
		"archive_entries":  `archive IN ` + mine + ` OR archive NOT IN ` + all,
		"archive_contacts": `archive IN ` + mine + ` OR archive NOT IN ` + all,
		"archive_messages": `sender IN ` + mine + ` OR receiver IN ` + mine + ` OR sender NOT IN ` + all + ` OR receiver NOT IN ` + all +
			` OR sender IS NULL AND receiver IS NULL`,
		"archive_words_owners":   `owner IN ` + mine + ` OR owner NOT IN ` + all,
		"archive_words_segments": `owner IN ` + mine + ` OR owner NOT IN ` + all,
		"archive_words_chunks":   `owner IN ` + mine + ` OR owner NOT IN ` + all,
		"archive_state":          `FALSE`,
		"server_texts":           `FALSE`, // of the host
		"server_lists":           `FALSE`, // of the host
		"deleted_names":          `FALSE`, // the name alone, which is not given away again at once
		"deletion_clock":         `FALSE`,
		"remote_outbox":          `FALSE`, // a row is of several accounts: its package tests that the text is deleted

		"rooms":                     `creator = '` + who + `'`,
		"room_affiliations":         `jid = '` + who + `'`,
		"room_hats":                 `jid = '` + who + `'`,
		"room_requests":             `jid = '` + who + `'`,
		"room_affiliation_versions": `jid = '` + who + `'`,
		"room_words_owners":         `FALSE`, // of the rooms, as the messages
		"room_words_segments":       `FALSE`,
		"room_words_chunks":         `FALSE`,
		"room_roles":                `jid = '` + who + `'`,
		"room_generations":          `FALSE`, // hashes of the names that were given away
		"room_archives":             `FALSE`, // of the rooms
		"block_list_entries":        `FALSE`, // of lists that others publish
		"room_messages":             `FALSE`, // what was said to others, with the nickname

		"pubsub_nodes":         `account = '` + who + `' OR creator = '` + who + `'`,
		"pubsub_items":         `service = '` + who + `' OR publisher = '` + who + `'`,
		"pubsub_affiliations":  `service = '` + who + `' OR jid = '` + who + `'`,
		"pubsub_subscriptions": `service = '` + who + `' OR bare = '` + who + `'`,
	}
	for table, columns := range storetest.Tables(t, db) {
		query := `SELECT count(*) FROM ` + table
		if condition, ok := archives[table]; ok {
			query += ` WHERE ` + condition
		} else if strings.HasPrefix(table, "bridge_") {
			if table == "bridge_gateways" || table == "bridge_secrets" { // the gateway's own
				continue
			}
		} else {
			at := slices.IndexFunc(columns, func(c string) bool { return c == "account" || table == "accounts" && c == "jid" })
			if at < 0 {
				t.Errorf("whose are the rows of %s?", table)
				continue
			}
			query += ` WHERE ` + columns[at] + ` = '` + who + `'`
		}
		var n int
		if err := db.QueryRowContext(ctx, query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			found[table] = n
		}
	}
	return found
}
