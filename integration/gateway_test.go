package integration_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// TestGateway uses a gateway with a foreign client, for each network, inside our server and as a component of
// others, with privileges and without: linking and unlinking, contacts, presence, search, direct messages, a channel with its history,
// edits and deletions both ways, bookmarks.
func TestGateway(t *testing.T) {
	forEachDeployment(t, testGateway)
}

func testGateway(ctx context.Context, t *testing.T, h *deployment, w fakeNetwork) {
	t.Helper()
	w.send(false, "Before you came")
	sally := h.login(ctx, t, testAccounts[0])
	var info struct {
		Identities [][]string
		Features   []string
	}
	waitGateway(ctx, t, sally, h.domain, &info)
	if !slices.ContainsFunc(info.Identities, func(i []string) bool { return i[0] == "gateway" && i[1] == w.kind() }) {
		t.Errorf("the gateway says it is %v", info.Identities)
	}
	h.link(ctx, t, sally, w)

	friend, contact := h.contacts(ctx, t, sally, w)
	_, name, group := w.friend()
	if h.fillsRosters && (contact.Name != name || !slices.Equal(contact.Groups, []string{group})) {
		t.Errorf("the contact is %+v, want name %q in group %q", contact, name, group)
	}
	w.setOnline(true)
	await(ctx, t, sally, presenceFrom(friend, "available"))
	var card struct{ Name, Nickname string }
	if err := sally.Do(ctx, "vcard", map[string]any{"of": friend}, &card); err != nil {
		t.Error(err)
	} else if card.Name != name && card.Nickname != name {
		t.Errorf("the friend's card is %+v, want the name %q", card, name)
	}

	searchFriend(ctx, t, sally, h, w)
	directMessages(ctx, t, sally, w, friend)
	room := h.findRoom(ctx, t, sally, w)
	if h.keepsBookmarks {
		awaitBookmark(ctx, t, sally, room, true)
	}
	o := occupant{sally, room, channelMessages(ctx, t, sally, w, room)}
	channelReactions(ctx, t, w, o)
	channelFile(ctx, t, h, w, o)

	w.setOnline(false)
	awaitAfter(ctx, t, sally, presenceFrom(friend, "available"), func(e peers.Event) bool {
		return presenceFrom(friend, "unavailable")(e) || presenceFrom(friend, "away")(e) || presenceFrom(friend, "xa")(e)
	})
	h.perform(ctx, t, sally, "unlink", map[string]string{"sure": "true"})
	if h.keepsBookmarks {
		awaitBookmark(ctx, t, sally, room, false)
	}
	registration(ctx, t, h, w)
}

// searchFriend finds the friend by name among the people of the network (XEP-0055).
func searchFriend(ctx context.Context, t *testing.T, s *peers.Slixmpp, h *deployment, w fakeNetwork) {
	t.Helper()
	local, name, _ := w.friend()
	friend := local + "@" + h.domain
	var answer struct{ Found []map[string]string }
	if err := s.Do(ctx, "search", map[string]any{"to": h.domain, "nick": strings.ToLower(name[:2])}, &answer); err != nil {
		t.Error(err)
	} else if len(answer.Found) != 1 || answer.Found[0]["jid"] != friend || answer.Found[0]["nick"] != name {
		t.Errorf("searching for %q finds %v", name[:2], answer.Found)
	}
}

// awaitBookmark waits until a room is among the bookmarks of the client's account (XEP-0402), or no longer.
func awaitBookmark(ctx context.Context, t *testing.T, s *peers.Slixmpp, room string, wanted bool) {
	t.Helper()
	err := peers.Poll(ctx, func() error {
		var node struct{ Items map[string]string }
		err := s.Do(ctx, "payloads", map[string]any{"of": nil, "node": "urn:xmpp:bookmarks:1"}, &node)
		if _, found := node.Items[room]; err == nil && found != wanted {
			err = fmt.Errorf("the bookmarks are %v", node.Items)
		}
		return err
	})
	if err != nil {
		t.Errorf("a bookmark of %s: %v; wanted: %t", room, err, wanted)
	}
}

// waitGateway waits until the gateway answers.
func waitGateway(ctx context.Context, t *testing.T, s *peers.Slixmpp, domain string, info any) {
	t.Helper()
	err := peers.Poll(ctx, func() error { return s.Do(ctx, "info", map[string]any{"to": domain}, info) })
	if err != nil {
		t.Fatal(err)
	}
}

// directMessages writes, edits and deletes both ways between the user and the friend.
func directMessages(ctx context.Context, t *testing.T, s *peers.Slixmpp, w fakeNetwork, friend string) {
	t.Helper()
	n := w.send(true, "Are you there?")
	first := await(ctx, t, s, messageFrom("Are you there?", friend))
	w.edit(n, "Are you there now?")
	e := await(ctx, t, s, messageFrom("Are you there now?", friend))
	if e.Seen.Replaces != first.Seen.ID {
		t.Errorf("the edit corrects %q, want %q", e.Seen.Replaces, first.Seen.ID)
	}
	w.remove(n)
	await(ctx, t, s, func(e peers.Event) bool { return e.Seen.Retracts == first.Seen.ID && from(e, friend) })

	id := sendChat(ctx, t, s, friend, "Yes, I am")
	awaitLines(ctx, t, w, true, lastIs("Yes, I am"))
	if err := s.Do(ctx, "correct", map[string]any{"to": friend, "body": "Yes, I am here", "replaces": id}, nil); err != nil {
		t.Fatal(err)
	}
	awaitLines(ctx, t, w, true, lastIs("Yes, I am here"))
	if err := s.Do(ctx, "retract", map[string]any{"to": friend, "id": id}, nil); err != nil {
		t.Fatal(err)
	}
	awaitLines(ctx, t, w, true, func(lines []string) bool { return !mentions(lines, "Yes, I am here") })
}

// channelMessages joins the room and writes, edits and deletes both ways in it; it returns the user's nickname.
func channelMessages(ctx context.Context, t *testing.T, s *peers.Slixmpp, w fakeNetwork, room string) (nick string) {
	t.Helper()
	_, friendName, _ := w.friend()
	found := join(ctx, t, s, joinRequest{room, "Sally", 20})
	if !slices.Contains(found.Occupants, friendName) {
		t.Errorf("occupants are %v, want %s among them", found.Occupants, friendName)
	}
	old := await(ctx, t, s, messageFrom("Before you came", room+"/"+friendName))
	if !old.Seen.Delayed {
		t.Errorf("history is not marked as such: %s", old.Raw)
	}
	if bodies := archive(ctx, t, s, room); !slices.Contains(bodies, "Before you came") {
		t.Errorf("the archive holds %q", bodies)
	}

	n := w.send(false, "Hello all")
	first := await(ctx, t, s, messageFrom("Hello all", room+"/"+friendName))
	w.edit(n, "Hello everybody")
	e := await(ctx, t, s, messageFrom("Hello everybody", room+"/"+friendName))
	if e.Seen.Replaces != first.Seen.ID {
		t.Errorf("the edit corrects %q, want %q", e.Seen.Replaces, first.Seen.ID)
	}
	w.remove(n)
	await(ctx, t, s, func(e peers.Event) bool {
		return e.Kind == "message" && e.Seen.Retracts != "" &&
			(e.Seen.Retracts == first.Seen.ID || e.Seen.Retracts == stanzaID(t, first, room))
	})

	id := sendGroupchat(ctx, t, s, room, "Hello yourselves")
	reflected := await(ctx, t, s, messageFrom("Hello yourselves", room+"/"+found.Nick))
	if reflected.Seen.ID != id {
		t.Errorf("reflected with id %q, want %q", reflected.Seen.ID, id)
	}
	awaitLines(ctx, t, w, false, lastIs("Hello yourselves"))
	if err := s.Do(ctx, "correct", map[string]any{"to": room, "body": "Hello, yourselves", "replaces": id, "type": "groupchat"}, nil); err != nil {
		t.Fatal(err)
	}
	awaitLines(ctx, t, w, false, lastIs("Hello, yourselves"))
	if err := s.Do(ctx, "retract", map[string]any{"to": room, "id": stanzaID(t, reflected, room), "type": "groupchat"}, nil); err != nil {
		t.Fatal(err)
	}
	awaitLines(ctx, t, w, false, func(lines []string) bool { return !mentions(lines, "yourselves") })
	if got := count(s, func(e peers.Event) bool { return e.Seen.Body == "Hello yourselves" }); got != 1 {
		t.Errorf("the user's own words came %d times, want once", got)
	}
	return found.Nick
}

// stanzaID is the id that a room gave to a message (XEP-0359).
func stanzaID(t *testing.T, e peers.Event, by string) string {
	t.Helper()
	row, err := xmltree.ParseFragment(e.Raw)
	if err != nil || len(row) != 1 {
		t.Fatalf("read %s: %v", e.Raw, err)
	}
	for _, c := range row[0].Children {
		if c.Name.Space == "urn:xmpp:sid:0" && c.Name.Local == "stanza-id" && c.Attr("by") == by {
			return c.Attr("id")
		}
	}
	t.Fatalf("no stanza-id by %s in %s", by, e.Raw)
	return ""
}

// from reports whether a stanza is from an address or a resource of it.
func from(e peers.Event, jid string) bool {
	return e.Seen.From == jid || strings.HasPrefix(e.Seen.From, jid+"/")
}

func messageFrom(body, jid string) func(peers.Event) bool {
	return func(e peers.Event) bool { return e.Kind == "message" && e.Seen.Body == body && from(e, jid) }
}

func presenceFrom(jid, kind string) func(peers.Event) bool {
	return func(e peers.Event) bool { return e.Kind == "presence" && e.Seen.Type == kind && from(e, jid) }
}

// awaitAfter waits for an event that comes after another one.
func awaitAfter(ctx context.Context, t *testing.T, s *peers.Slixmpp, before, fits func(peers.Event) bool) {
	t.Helper()
	_, at, err := s.Await(ctx, 0, before)
	if err == nil {
		_, _, err = s.Await(ctx, at, fits)
	}
	if err != nil {
		t.Fatalf("%s waits in vain: %v", s.JID, err)
	}
}

// lastIs reports whether the last line ends with a text.
func lastIs(text string) func([]string) bool {
	return func(lines []string) bool { return len(lines) > 0 && strings.HasSuffix(lines[len(lines)-1], ": "+text) }
}

func mentions(lines []string, text string) bool {
	return slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, text) })
}

func count(s *peers.Slixmpp, fits func(peers.Event) bool) int {
	n := 0
	for _, e := range s.Events() {
		if fits(e) {
			n++
		}
	}
	return n
}
