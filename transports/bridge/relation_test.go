package bridge_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// relaying is a network that writes under the names of others, with the name before the text: "ann: hi". It takes
// 30 characters with the name, and counts underscores twice.
type relaying struct {
	transports.Network
	mu     sync.Mutex
	log    []string
	people []string // whom the last message mentions
}

const relayedText = 30

func escapedLength(t richtext.Text) int {
	s := t.Styling()
	return utf8.RuneCountInString(s) + strings.Count(s, "_")
}

func (n *relaying) Info() transports.Info {
	info := n.Network.Info()
	info.Caps.MentionAll = true
	info.Caps.Relay, info.Caps.MaxText, info.Caps.Length = true, relayedText, escapedLength
	return info
}

func (n *relaying) ClientType() transports.Client { return relayingClient{} }

func (n *relaying) Open(ctx context.Context, login transports.Login, sink transports.Sink) (transports.Client, error) {
	c, err := n.Network.Open(ctx, login, sink)
	if err != nil {
		return nil, err
	}
	return relayingClient{c.(full), n}, nil
}

func (n *relaying) note(what string, m transports.Outgoing) {
	line := fmt.Sprintf("%s %q", what, m.Text.Styling())
	if m.Author != nil {
		line += " by " + m.Author.Name
	}
	if m.Thread != "" {
		line += " in " + string(m.Thread)
	}
	if m.ReplyTo != "" {
		line += " to " + string(m.ReplyTo)
	}
	if m.Answered != nil {
		line += fmt.Sprintf(" (%s: %s)", m.Answered.Author, m.Answered.Text)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log, n.people = append(n.log, line), nil
	m.Text.Walk(func(node *richtext.Node) {
		switch node.Kind {
		case richtext.Mention:
			n.people = append(n.people, node.ID)
		case richtext.All:
			n.people = append(n.people, "all")
		}
	})
}

// mentioned are the people whom the last message mentions.
func (n *relaying) mentioned() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.people
}

// take are the calls since the last time.
func (n *relaying) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	log := n.log
	n.log = nil
	return log
}

type relayingClient struct {
	full
	n *relaying
}

func (c relayingClient) CanRelay(context.Context, transports.RoomID) bool { return true }

func (c relayingClient) Send(ctx context.Context, m transports.Outgoing) (transports.Sent, error) {
	c.n.note("send", m)
	return c.full.Send(ctx, m)
}

// Edit gives back what does not fit behind the name.
func (c relayingClient) Edit(ctx context.Context, message transports.MessageRef, m transports.Outgoing) (richtext.Text, error) {
	parts := richtext.Cutter{Limit: relayedText - len(m.Author.Name+": "), Parts: 2, Length: escapedLength}.Split(m.Text)
	m.Text = parts[0]
	c.n.note("edit "+string(message.ID), m)
	_, err := c.full.Edit(ctx, message, m)
	return slices.Concat(parts[1:]...), err
}

func wantCalls(t *testing.T, n *relaying, want ...string) {
	t.Helper()
	if got := n.take(); !slices.Equal(got, want) {
		t.Errorf("calls\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func replyTo(id string) *stanza.Element {
	return stanza.NewElement("urn:xmpp:reply:0", "reply").With("id", id)
}

// A reply stays in the thread of what it answers, and the network is given what it answers, in words too; a
// correction keeps speaker, thread and answer in all its parts.
func TestRepliesThreadsAndSpeakers(t *testing.T) {
	withGateway(t, func(h *harness) {
		n := &relaying{Network: h.net}
		h.net = n
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		root := h.world.Say("plaza", "cleo", "lunch?")
		h.check(h.world.Do(func(as faultnet.As) error {
			return as.Emit("plaza", transports.Event{Key: "t1", Actor: "ben", Body: transports.Message{ID: "t1", Text: richtext.FromPlain("pizza"), ReplyTo: root, Thread: root}})
		}))
		got := h.received(phone)
		if len(got) != 2 {
			t.Fatal(got)
		}
		first, threaded := stanzaID(got[0]), stanzaID(got[1])
		h.check(h.world.Do(func(as faultnet.As) error { // also to the room
			return as.Emit("plaza", transports.Event{Key: "t2", Actor: "ben", Body: transports.Message{ID: "t2", Text: richtext.FromPlain("at two"), ReplyTo: root, Thread: root, InRoom: true}})
		}))
		both := h.received(phone)
		if len(both) != 1 || both[0].Child("", "thread") != nil || both[0].Child("urn:xmpp:reply:0", "reply").Attr("id") != first || got[1].Child("", "thread") == nil {
			t.Fatalf("%s, %s", got, both)
		}
		h.sendToRoom(phone, "plaza", "fine", replyTo(stanzaID(both[0])))
		wantCalls(t, n, `send "fine" by me in `+string(root)+` to t2 (Ben: at two)`)
		h.discard()
		h.sendToRoom(phone, "plaza", "yes", replyTo(first))
		wantCalls(t, n, `send "yes" by me to `+string(root)+` (Cleo: lunch?)`)
		h.sendToRoom(phone, "plaza", "no", replyTo(threaded)) // the client does not name the thread
		wantCalls(t, n, `send "no" by me in `+string(root)+` to t1 (Ben: pizza)`)
		own := h.world.Last("plaza").ID
		h.sendToRoom(phone, "plaza", "sorry", replyTo(stanzaID(h.received(phone)[1])))
		wantCalls(t, n, `send "sorry" by me in `+string(root)+` to `+string(own)+` (me: no)`)

		st := h.sendToRoom(phone, "plaza", "hi", replyTo(threaded), stanza.TextElement("", "thread", first))
		hi := h.world.Last("plaza").ID
		wantCalls(t, n, `send "hi" by me in `+string(root)+` to t1 (Ben: pizza)`)
		h.sendToRoom(phone, "plaza", "the quick brown fox jumps over the lazy dog", replace(st.ID))
		wantCalls(t, n,
			`edit `+string(hi)+` "the quick brown fox jumps" by me in `+string(root)+` to t1 (Ben: pizza)`, `send "over the lazy dog" by me in `+string(root))
		more := h.world.Last("plaza").ID
		h.sendToRoom(phone, "plaza", "the quick brown fox_es jump over the dogs", replace(st.ID))
		wantCalls(t, n,
			`edit `+string(hi)+` "the quick brown fox_es" by me in `+string(root)+` to t1 (Ben: pizza)`, `edit `+string(more)+` "jump over the dogs" by me in `+string(root))
		h.restart()
		h.join(phone, "plaza")
		h.discard()
		n.take()
		h.sendToRoom(phone, "plaza", "bye", replace(st.ID))
		wantCalls(t, n, `edit `+string(hi)+` "bye" by me in `+string(root)+` to t1 (Ben: pizza)`)
	})
}

// The bridge counts the length of a text as the network does, so that each part can be corrected.
func TestLengthIsThatOfTheNetwork(t *testing.T) {
	withGateway(t, func(h *harness) {
		n := &relaying{Network: h.net}
		h.net = n
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		st := h.sendToRoom(phone, "plaza", strings.Repeat("x_", 14))
		wantCalls(t, n, `send "`+strings.Repeat("x_", 10)+`" by me`, `send "`+strings.Repeat("x_", 4)+`" by me`)
		h.sendToRoom(phone, "plaza", strings.Repeat("y_", 12), replace(st.ID))
		if calls := n.take(); len(calls) != 2 || !strings.HasPrefix(calls[0], "edit ") || !strings.HasPrefix(calls[1], "edit ") {
			t.Errorf("%q", calls)
		}
		if got := h.world.Texts("plaza"); strings.ReplaceAll(strings.Join(got, ""), "ann: ", "") != strings.Repeat("y_", 12) {
			t.Errorf("%q", got)
		}
		h.discard()
		h.sendToRoom(phone, "plaza", strings.Repeat("word ", 500))
		h.expect(phone, "plaza error not-acceptable")
		if len(n.take()) > 0 {
			t.Error("some of it was sent")
		}
	})
}
