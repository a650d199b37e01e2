package integration_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
	"github.com/dragoman-im/dragoman/transports/slack/fake"
)

// occupant is a client in the room of a channel.
type occupant struct {
	*peers.Slixmpp
	room, nick string
}

// channelReactions has the friend react to a message of the user in a room, and the user to one of the friend.
func channelReactions(ctx context.Context, t *testing.T, w fakeNetwork, o occupant) {
	t.Helper()
	s, room, nick := o.Slixmpp, o.room, o.nick
	_, friendName, _ := w.friend()
	sendGroupchat(ctx, t, s, room, "What do you think?")
	own := await(ctx, t, s, messageFrom("What do you think?", room+"/"+nick))
	awaitLines(ctx, t, w, false, lastIs("What do you think?"))
	react(t, w, "What do you think?")
	e := await(ctx, t, s, func(e peers.Event) bool { return len(e.Seen.Reactions) > 0 && from(e, room+"/"+friendName) })
	if !slices.Equal(e.Seen.Reactions, []string{"👍"}) || e.Seen.ReactsTo != stanzaID(t, own, room) {
		t.Errorf("the friend's reaction is %s", e.Raw)
	}
	w.send(false, "A good idea")
	theirs := await(ctx, t, s, messageFrom("A good idea", room+"/"+friendName))
	for _, want := range []int{1, 0} {
		reactions := []string{"🎂"}[:want]
		if err := s.Do(ctx, "react", map[string]any{"to": room, "id": stanzaID(t, theirs, room), "reactions": reactions, "type": "groupchat"}, nil); err != nil {
			t.Fatal(err)
		}
		awaitLines(ctx, t, w, false, func([]string) bool { return reactionsTo(w, "A good idea") == want })
	}
}

// react has the friend react to a message of the channel.
func react(t *testing.T, w fakeNetwork, text string) {
	t.Helper()
	switch n := w.friendActions.(type) {
	case *slackNetwork:
		if m, ok := n.posted(text); ok {
			n.ben.React(m, "+1")
			return
		}
	case *discordNetwork:
		for _, m := range n.server.Transcript(n.general) {
			if m.Text == text {
				n.must(n.server.React(n.general, m.ID, n.ben, "👍"))
				return
			}
		}
	}
	t.Fatalf("%s does not show %q", w.kind(), text)
}

// reactionsTo is the number of reactions to a message of the channel.
func reactionsTo(w fakeNetwork, text string) (all int) {
	switch n := w.friendActions.(type) {
	case *slackNetwork:
		m, _ := n.posted(text)
		for _, people := range m.Reactions {
			all += len(people)
		}
	case *discordNetwork:
		for _, m := range n.server.Transcript(n.general) {
			for _, r := range m.Reactions {
				if m.Text == text {
					all += len(r.Users)
				}
			}
		}
	}
	return all
}

// posted is the last message of the channel that has a text.
func (s *slackNetwork) posted(text string) (found fake.Message, ok bool) {
	for _, m := range s.general.Transcript() {
		if m.Text == text {
			found, ok = m, true
		}
	}
	return found, ok
}

// channelFile has the friend share a file in a room: without the gateway's own address of files it has the network's.
func channelFile(ctx context.Context, t *testing.T, h *deployment, w fakeNetwork, o occupant) {
	t.Helper()
	_, friendName, _ := w.friend()
	share(t, w, "", sharedFile{"plan.txt", "The plan", []byte("what the plan says")})
	e := await(ctx, t, o.Slixmpp, func(e peers.Event) bool {
		return e.Kind == "message" && from(e, o.room+"/"+friendName) && strings.Contains(e.Raw, "plan.txt")
	})
	row, err := xmltree.ParseFragment(e.Raw)
	if err != nil || len(row) != 1 {
		t.Fatalf("read %s: %v", e.Raw, err)
	}
	url := filesOf(row[0])["plan.txt"]
	if h.files == "" {
		if url == "" {
			t.Errorf("the file has no address: %s", e.Raw)
		}
		return
	}
	if !strings.HasPrefix(url, h.files) || e.Seen.Body != url {
		t.Errorf("the file is shown as %s, want an address at %s", e.Raw, h.files)
	}
	if status, data, _ := download(ctx, t, url); status != http.StatusOK || string(data) != "what the plan says" {
		t.Errorf("%s: %d %q", url, status, data)
	}
}

// registration links and unlinks a login by XEP-0077, as clients without commands do.
func registration(ctx context.Context, t *testing.T, h *deployment, w fakeNetwork) {
	t.Helper()
	fields := map[string][]string{"slack": {"app", "bot", "user"}, "discord": {"token"}}[w.kind()]
	l := newLinker(ctx, t, h, testAccounts[1], fields...)
	query := func() *xmltree.Element {
		t.Helper()
		e, err := ask(ctx, l.conn, h.domain, "<query xmlns='"+spaceRegister+"'/>")
		if err != nil {
			t.Fatal(err)
		}
		return e.Child(spaceRegister, "query")
	}
	if q := query(); q == nil || q.Child(spaceRegister, "registered") != nil || q.Child(spaceForms, "x") == nil {
		t.Errorf("before it is linked: %s", q)
	}
	if text := l.byRegistration(w.tokens()); text != "linked" {
		t.Errorf("linking: %s", text)
	}
	if q := query(); q == nil || q.Child(spaceRegister, "registered") == nil {
		t.Errorf("when it is linked: %s", q)
	}
	local, _, _ := w.friend()
	// What is written before the gateway has connected to the network is not shown: nobody knew the conversation.
	for arrived := false; !arrived; {
		w.send(true, "Registered?")
		soon, cancel := context.WithTimeout(ctx, 2*time.Second)
		for !arrived && soon.Err() == nil {
			e, err := l.conn.Next(soon)
			arrived = err == nil && e.ChildText("body") == "Registered?" && strings.HasPrefix(e.Attr("from"), local+"@"+h.domain)
			if err != nil && soon.Err() == nil || ctx.Err() != nil {
				t.Fatalf("a message of the friend: %v", err)
			}
		}
		cancel()
	}
	if e := l.set("<query xmlns='" + spaceRegister + "'><remove/></query>"); e.Attr("type") != "result" {
		t.Errorf("unlinking: %s", e)
	}
	if q := query(); q == nil || q.Child(spaceRegister, "registered") != nil {
		t.Errorf("when it is unlinked: %s", q)
	}
}
