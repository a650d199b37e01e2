package bridge_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/notification"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
)

// notified is a message of which the members of a room are to be notified.
type notified struct {
	text     string
	from     string
	sender   jid.JID
	public   bool
	accounts []jid.JID
	nicks    []string
}

// notify is bridge.Options.Notify.
func (h *harness) notify(ctx context.Context, m notification.Message) {
	n := notified{text: m.Stanza.Body(), from: m.Stanza.From.Resource(), sender: m.Sender, public: m.Public}
	list, err := m.Members(ctx, []jid.JID{boss})
	h.check(err)
	for _, o := range list {
		n.accounts, n.nicks = append(n.accounts, o.Account), append(n.nicks, o.Nick)
	}
	h.logMu.Lock()
	defer h.logMu.Unlock()
	h.notified = append(h.notified, n)
}

// notifications returns them, and forgets them.
func (h *harness) notifications() []notified {
	time.Sleep(time.Second)
	h.logMu.Lock()
	defer h.logMu.Unlock()
	list := h.notified
	h.notified = nil
	return list
}

// Those who are in a channel on the network are notified of its messages, whether or not one of their sessions is in the room. Who is not
// in the channel is not, even with a bookmark.
func TestMembersAreNotified(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.link(desk, "ben")
		h.notifications()
		for _, c := range []struct {
			room   transports.RoomID
			public bool
		}{{"plaza", true}, {"den", false}} {
			h.world.Say(c.room, "cleo", "hello "+string(c.room))
			got := h.notifications()
			if len(got) != 1 || got[0].text != "hello "+string(c.room) || got[0].from != "Cleo" || got[0].public != c.public || !got[0].sender.IsZero() {
				t.Fatalf("%+v", got)
			}
			slices.Sort(got[0].nicks)
			if len(got[0].accounts) != 2 || !slices.Contains(got[0].accounts, ann) || !slices.Equal(got[0].nicks, []string{"Ann", "Ben"}) {
				t.Errorf("%+v", got)
			}
		}
		h.join(phone, "plaza")
		h.sendToRoom(phone, "plaza", "from here")
		h.world.Say("plaza", "ben", "from there")
		senders := map[string]jid.JID{}
		for _, n := range h.notifications() {
			if _, twice := senders[n.text]; twice {
				t.Errorf("twice: %+v", n)
			}
			senders[n.text] = n.sender
		}
		if len(senders) != 2 || senders["from here"] != ann || senders["from there"] != desk.Bare() {
			t.Errorf("%v", senders)
		}
	})
}

// Gateways of accounts without notifications, and what nobody is notified of.
func TestNotNotified(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.world.Say("plaza", "cleo", "first")
		first := stanzaID(h.received(phone)[0])
		h.notifications()
		h.send(&stanza.Stanza{Kind: stanza.Message, To: room("plaza"), From: phone, Type: stanza.TypeGroupchat, Payload: "<composing xmlns='http://jabber.org/protocol/chatstates'/>"})
		h.reactTo(first, "👍")
		for _, n := range h.notifications() {
			if strings.TrimSpace(n.text) != "" {
				t.Errorf("%+v", n)
			}
		}
	})
}
