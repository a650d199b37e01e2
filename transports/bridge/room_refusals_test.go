package bridge_test

import (
	"context"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
)

const mucUser, mucAdmin, mucOwner, mucVoice = "http://jabber.org/protocol/muc#user", "http://jabber.org/protocol/muc#admin", "http://jabber.org/protocol/muc#owner", "http://jabber.org/protocol/muc#request"

func adminItem(attrs ...string) *stanza.Element {
	item := stanza.NewElement(mucAdmin, "item")
	for i := 0; i < len(attrs); i += 2 {
		item.With(attrs[i], attrs[i+1])
	}
	return stanza.NewElement(mucAdmin, "query").Add(item)
}

// refusedAction is something that a room of a network refuses.
type refusedAction struct {
	name      string
	st        *stanza.Stanza
	condition string
	do        string // part of the text
}

func refusedActions(from jid.JID, id string) []refusedAction {
	at := room(id)
	nick := func(n string) jid.JID { j, _ := at.WithResource(n); return j }
	get := func(x *stanza.Element) *stanza.Stanza { return stanza.NewIQ(at, from, stanza.TypeGet, x) }
	set := func(x *stanza.Element) *stanza.Stanza { return stanza.NewIQ(at, from, stanza.TypeSet, x) }
	owner := func(x ...*stanza.Element) *stanza.Element { return stanza.NewElement(mucOwner, "query").Add(x...) }
	vcard := stanza.NewElement("vcard-temp", "vCard").Add(stanza.TextElement("vcard-temp", "FN", "x"))
	return []refusedAction{
		{"§7.6 nick", stanza.NewPresence(nick("other"), from, ""), "not-acceptable", "change it there"},
		{"§7.8.2 invite", stanza.NewMessage(at, from, "", stanza.NewElement(mucUser, "x").Add(stanza.NewElement(mucUser, "invite").With("to", "x@example.org"))), "forbidden", "invite people there"},
		{"§8.2 kick", set(adminItem("nick", "Cleo", "role", "none")), "forbidden", "remove people"},
		{"§8.3 voice", set(adminItem("nick", "Cleo", "role", "participant")), "forbidden", "change it"},
		{"§9.1 ban", set(adminItem("jid", "x@example.org", "affiliation", "outcast")), "forbidden", "ban people"},
		{"§9.3 membership", set(adminItem("jid", "x@example.org", "affiliation", "member")), "forbidden", "change it"},
		{"§10.3 ownership", set(adminItem("jid", from.Bare().String(), "affiliation", "owner")), "forbidden", "change it"},
		{"§8.5 list of a role", get(adminItem("role", "participant")), "forbidden", "read it there"},
		{"§9.2 list of bans", get(adminItem("affiliation", "outcast")), "forbidden", "read it there"},
		{"§10.2 form", get(owner()), "forbidden", "configure it there"},
		{"§10.2 configure", set(owner(form.New(form.Submit, "http://jabber.org/protocol/muc#roomconfig", "").Element())), "forbidden", "configure it there"},
		{"§10.9 destroy", set(owner(stanza.NewElement(mucOwner, "destroy"))), "forbidden", "delete it there"},
		{"§7.10 form of registration", get(stanza.NewElement("jabber:iq:register", "query")), "not-allowed", "join or leave the room there"},
		{"§7.10 register", set(stanza.NewElement("jabber:iq:register", "query").Add(form.New(form.Submit, "http://jabber.org/protocol/muc#register", "").Element())), "not-allowed", "join or leave the room there"},
		{"XEP-0425 moderation", set(stanza.NewElement("urn:xmpp:message-moderate:1", "moderate").With("id", "1").Add(stanza.NewElement("urn:xmpp:message-retract:1", "retract"))), "forbidden", "do it there"},
		{"XEP-0054 vCard of the room", set(vcard), "forbidden", "change them there"},
		{"XEP-0054 vCard of a person", stanza.NewIQ(nick("Cleo"), from, stanza.TypeSet, vcard), "forbidden", "Only they can change it, there"},
	}
}

// expectRefused sends what is refused, and looks at the answer.
func (h *harness) expectRefused(c refusedAction) {
	h.Helper()
	h.discard()
	h.send(c.st)
	got := h.received(c.st.From)
	if len(got) != 1 || got[0].Type != stanza.TypeError || got[0].ID != c.st.ID {
		h.Errorf("%s: %v", c.name, got)
		return
	}
	if e := got[0].Err(); e.Condition != c.condition || !strings.Contains(e.Text, "Echo") || !strings.Contains(e.Text, c.do) {
		h.Errorf("%s: %s", c.name, got[0])
	}
}

// What cannot be done in a room of a network is answered with the specification's condition, the network's name and what to do.
func TestRefusedActionsInRoom(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.world.AddRoom(transports.RoomInfo{ID: "hall", Kind: transports.Public, Name: "Hall", Topic: "News"}, "ann", "cleo")
		h.net = &wide{Network: h.net, caps: func(c *transports.Caps) { c.Changes = []transports.ChangeKind{transports.ChangeJoin} }}
		h.start()
		h.link(phone, "ann")
		h.join(phone, "hall")
		for _, c := range refusedActions(phone, "hall") {
			h.expectRefused(c)
		}
		topic := stanza.NewMessage(room("hall"), phone, stanza.TypeGroupchat, stanza.TextElement("", "subject", "Sports"))
		h.expectRefused(refusedAction{"§8.1 subject", topic, "forbidden", "change it there"})
		if h.discard(); h.world.Count("message") != 0 {
			t.Error("something has come to the network")
		}
		for _, st := range h.join(phone, "hall") {
			if st.Type == stanza.TypeError || st.Child("", "subject") != nil && st.Child("", "subject").Text() != "News" {
				t.Errorf("afterwards: %s", st)
			}
		}
	})
}

// One who may only read learns so, also when asking for voice, which nobody here could give.
func TestRefusedActionsOfReader(t *testing.T) {
	for name, lists := range map[string]bool{"not listed": false, "a listed member": true} {
		t.Run(name, func(t *testing.T) { refusedActionsOfReader(t, lists) })
	}
}

func refusedActionsOfReader(t *testing.T, lists bool) {
	withGateway(t, func(h *harness) {
		h.net = &readOnly{h.net, lists}
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		voice := form.New(form.Submit, mucVoice, "").Set("muc#role", "participant").Element()
		h.expectRefused(refusedAction{"§7.4 message", stanza.NewMessage(room("plaza"), phone, stanza.TypeGroupchat, stanza.TextElement("", "body", "hi")), "forbidden", "let you write"})
		h.expectRefused(refusedAction{"§7.13 voice request", stanza.NewMessage(room("plaza"), phone, "", voice), "forbidden", "let you write"})
	})
}

// Who does not see a room learns nothing about it, whatever they try.
func TestRefusedActionsOfOutsider(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "den")
		outsider := jidOf("dan@example.org/1")
		for _, c := range refusedActions(outsider, "den") {
			h.discard()
			h.send(c.st)
			for _, st := range h.received(outsider) {
				if c.st.Kind != stanza.Presence && (st.Type != stanza.TypeError || st.Err().Condition != "item-not-found" && st.Err().Condition != "registration-required") {
					t.Errorf("%s: %s", c.name, st)
				}
			}
		}
	})
}

// readOnly is a network where nobody may write.
type readOnly struct {
	transports.Network
	lists bool // the members of a room
}

func (n *readOnly) ClientType() transports.Client { return readOnlyClient{} }

func (n *readOnly) Open(ctx context.Context, login transports.Login, sink transports.Sink) (transports.Client, error) {
	c, err := n.Network.Open(ctx, login, sink)
	if err != nil {
		return nil, err
	}
	return readOnlyClient{c.(full), n.lists}, nil
}

type readOnlyClient struct {
	full
	lists bool
}

func (c readOnlyClient) Room(ctx context.Context, id transports.RoomID) (transports.RoomInfo, error) {
	info, err := c.full.Room(ctx, id)
	info.Writable = false
	return info, err
}

func (c readOnlyClient) Rooms(ctx context.Context, page func([]transports.RoomInfo) error) error {
	return c.full.Rooms(ctx, func(list []transports.RoomInfo) error {
		for i := range list {
			list[i].Writable = false
		}
		return page(list)
	})
}

func (c readOnlyClient) Members(ctx context.Context, r transports.MemberRequest) (transports.MemberPage, error) {
	if c.lists {
		return c.full.Members(ctx, r)
	}
	return transports.MemberPage{}, nil
}
