package links

import (
	"context"
	"strings"

	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/room/hats"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// translation replaces the ids in a message by those of the other side.
type translation struct {
	link   *link
	author string // of a message of the linked room

	target    string   // entry of the message that is changed
	reactions []string // not nil where the message sets them
	waits     bool     // it is about a message whose ids on the other side are not known yet
	own       bool     // what is retracted is of the channel
	origin    origin
}

// ofRoom reports whether an element may only be added by a room or a server, or says nothing on the other side.
func ofRoom(e *stanza.Element) bool {
	switch e.Space {
	case message.NSStanzaID, message.NSDelay, message.NSOldDelay, convert.NSOccupantID, convert.NSMUCUser, convert.NSMUC, hats.NS,
		convert.NSReceipts, convert.NSMarkers, convert.NSStates, message.NSCarbons, convert.NSMAM, "http://jabber.org/protocol/address":
		return true
	}
	return false
}

// changesOtherwise reports whether an element of somebody in the linked room changes a message in a way that is not carried: it has ids of that
// room, and its right to do that is not checked here. What the room itself removes is moderation's.
func changesOtherwise(e *stanza.Element) bool {
	switch e.Space {
	case convert.NSModerate, convert.NSModerateOld, convert.NSFasten, "urn:xmpp:message-retract:0", "urn:xmpp:message-attaching:1":
		return true
	}
	return e.Is(convert.NSRetract, "retracted") // only an archive has tombstones (XEP-0424 §4)
}

// messageID is the own id in the channel of a message of the linked room, so that its corrections can name it.
func (t *translation) messageID(there, entry string) string {
	if there == "" {
		return entry
	}
	return convert.Hash("message", t.link.self().String(), t.author, there)
}

// inward makes a message of the linked room one of the channel; nil where nothing is left that the channel wants.
func (t *translation) inward(ctx context.Context, st *stanza.Stanza) (*stanza.Stanza, error) {
	var content []*stanza.Element
	says := false
	for e := range st.Tree().Elements() {
		id := e.Attr("id")
		switch {
		case ofRoom(e) || changesOtherwise(e) || e.Space == nsPassed:
			continue
		case e.Is(convert.NSReply, "reply"):
			m, ok, err := t.there(ctx, id)
			if err != nil {
				return nil, err
			}
			if !ok {
				return t.withoutReply(ctx, st)
			}
			e = stanza.NewElement(convert.NSReply, "reply").With("id", m.Entry)
		case e.Is(convert.NSCorrect, "replace"):
			m, ok, err := t.there(ctx, id)
			if err != nil {
				return nil, err
			}
			if !ok || !t.wrote(m) {
				return nil, stanza.ItemNotFound("The message that you correct is not known here.")
			}
			e = stanza.NewElement(convert.NSCorrect, "replace").With("id", m.Message)
		case e.Is(convert.NSReactions, "reactions"), e.Is(convert.NSRetract, "retract"):
			m, ok, err := t.there(ctx, id)
			if err != nil {
				return nil, err
			}
			if !ok {
				return nil, nil // of a message that the channel does not have
			}
			if t.target != "" {
				return nil, stanza.BadRequest("This message changes more than one message.")
			}
			t.target, says = m.Entry, true
			if e.Space == convert.NSRetract {
				if !t.wrote(m) { // XEP-0424 §4; those of the channel have none here
					return nil, stanza.Forbidden("Only its author may retract a message.")
				}
				e = stanza.NewElement(convert.NSRetract, "retract").With("id", m.Entry) // who else removes it only the room says (XEP-0425 §4)
				break
			}
			t.reactions = []string{}
			for r := range e.Named(convert.NSReactions, "reaction") {
				t.reactions = append(t.reactions, r.Text())
			}
			e = withID(e, m.Entry)
		}
		says = says || e.Is("jabber:client", "body") || e.Local == "body" && e.Space == ""
		content = append(content, e)
	}
	if !says {
		return nil, nil
	}
	for e := range st.Tree().Named(nsPassed, "passed") {
		content = append(content, e)
	}
	content = append(content, passedElement(t.link.row.Address), t.link.links.element(t.origin))
	return &stanza.Stanza{Kind: stanza.Message, Type: stanza.TypeGroupchat, Lang: st.Lang, Payload: stanza.Encode(content...)}, nil
}

// wrote reports whether the author of the message that is translated has written another one. Of whom nothing is known that is not known of
// somebody who took the nickname and the id of the message.
func (t *translation) wrote(m tables.LinkMessage) bool {
	return m.Author == t.author && !strings.HasPrefix(t.author, unknownAuthor)
}

// withoutReply is inward for an answer to a message that the other side does not have: the quotation stays in the text.
func (t *translation) withoutReply(ctx context.Context, st *stanza.Stanza) (*stanza.Stanza, error) {
	return t.inward(ctx, st.Without(isReply))
}

func isReply(e *stanza.Element) bool {
	return e.Is(convert.NSReply, "reply") || e.Is(convert.NSFallback, "fallback") && e.Attr("for") == convert.NSReply
}

// there finds a message by an id of the linked room.
func (t *translation) there(ctx context.Context, id string) (tables.LinkMessage, bool, error) {
	if id == "" || len(id) > maxIDBytes {
		return tables.LinkMessage{}, false, nil
	}
	for _, m := range t.link.in.recent {
		if m.ThereID == id || m.There == id && m.Author == t.author {
			return m, true, nil
		}
	}
	for _, m := range t.link.out.unsaved {
		if m.ThereID == id || m.There == id {
			return m, true, nil
		}
	}
	return t.link.links.messages.LinkedThere(ctx, t.link.id, id, t.author)
}

// here finds a message by an id of the channel's room. waits is set where it is on its way to the linked room.
func (t *translation) here(ctx context.Context, id string) (tables.LinkMessage, bool, error) {
	if id == "" {
		return tables.LinkMessage{}, false, nil
	}
	for _, s := range t.link.out.pending {
		if s.entry.ID == id || s.entry.Message == id {
			if s.state != confirmed {
				t.waits = s.state == sent
				return tables.LinkMessage{}, false, nil
			}
		}
	}
	for _, list := range [][]tables.LinkMessage{t.link.out.unsaved, t.link.in.recent} {
		for _, m := range list {
			if m.Entry == id || m.Message == id {
				return m, true, nil
			}
		}
	}
	return t.link.links.messages.LinkedEntry(ctx, t.link.id, id)
}

// reference is by which id of the linked room others refer to a message.
func reference(m tables.LinkMessage) string {
	if m.ThereID != "" {
		return m.ThereID
	}
	return m.There
}

// outward makes an entry of the channel's archive a message of the linked room; nil where nothing is left. moderated tells that a
// moderator has retracted the message, whose ids are in target.
func (t *translation) outward(ctx context.Context, a tables.Archived) (content []*stanza.Element, moderated *tables.LinkMessage, err error) {
	st := &stanza.Stanza{Kind: stanza.Message, Payload: a.Payload}
	says, correction := false, st.Child(convert.NSCorrect, "replace") != nil
	for e := range st.Tree().Elements() {
		id := e.Attr("id")
		switch {
		case ofRoom(e) || e.Space == nsPassed:
			continue
		case isReply(e) && e.Local == "fallback":
			if reply := st.Child(convert.NSReply, "reply"); reply != nil {
				if _, ok, err := t.here(ctx, reply.Attr("id")); err != nil || !ok {
					continue
				}
			}
		case e.Is(convert.NSReply, "reply"):
			m, ok, err := t.here(ctx, id)
			if err != nil || t.waits {
				return nil, nil, err
			}
			if !ok {
				continue
			}
			e = stanza.NewElement(convert.NSReply, "reply").With("id", reference(m))
			if j, err := t.link.occupant(m.Nick); err == nil && m.Nick != "" {
				e = e.With("to", j.String())
			}
		case e.Is(convert.NSCorrect, "replace"):
			m, ok, err := t.here(ctx, id)
			if err != nil || t.waits {
				return nil, nil, err
			}
			if !ok {
				continue // shown as a new message
			}
			e = stanza.NewElement(convert.NSCorrect, "replace").With("id", m.There)
		case e.Is(convert.NSReactions, "reactions"), e.Is(convert.NSRetract, "retract"):
			m, ok, err := t.here(ctx, id)
			if err != nil || t.waits || !ok {
				return nil, nil, err
			}
			t.own = m.Author == ""
			if e.Space == convert.NSRetract && e.Child(convert.NSModerate, "moderated") != nil {
				return nil, &m, nil
			}
			if e.Space == convert.NSRetract && !t.own {
				return nil, &m, nil // its author is not one of ours
			}
			says, e = true, withID(e, reference(m))
		}
		says = says || e.Local == "body" && (e.Space == "" || e.Space == "jabber:client")
		content = append(content, e)
	}
	if !says || correction && st.Body() == "" {
		return nil, nil, nil
	}
	for e := range st.Tree().Named(nsPassed, "passed") {
		content = append(content, e)
	}
	return append(content, passedElement(t.link.channelAddress()), t.link.links.element(t.origin)), nil, nil
}

// withID is an element with another id.
func withID(e *stanza.Element, id string) *stanza.Element {
	c := e.Clone()
	return c.With("id", id)
}
