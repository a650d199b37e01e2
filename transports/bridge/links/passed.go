package links

import (
	"strings"
	"sync"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
)

// nsPassed is the namespace of what a message carries between linked rooms: one passed element with the address of a room
// for each room that it was in, and one origin element that names it the same in all of them. A message is not taken to a
// room that is on its list, so that a circle of linked rooms does not repeat it; one that comes to a room on two
// ways is shown once.
const nsPassed = "https://github.com/dragoman-im/dragoman/passed"

// maxPassed is how many rooms a message passes through.
const maxPassed = 16

// passed reports whether a message was in a room already, or in too many.
func passed(st *stanza.Stanza, room jid.JID) bool {
	n := 0
	for e := range st.Tree().Named(nsPassed, "passed") {
		n++
		if j, err := jid.Parse(e.Attr("room")); err == nil && j == room || n >= maxPassed {
			return true
		}
	}
	return false
}

func passedElement(room jid.JID) *stanza.Element {
	return stanza.NewElement(nsPassed, "passed").With("room", room.String())
}

// channelAddress is the address of the channel's room.
func (l *link) channelAddress() jid.JID {
	j, _ := l.links.address.Room(l.channel.Net) // it has one, as it was entered
	return j
}

// origin names a message the same in all rooms that it comes to: by the first of them and its id there.
type origin struct{ room, id string }

// in is the id of the message in a room.
func (o origin) in(room jid.JID) string { return convert.Hash("linked", room.String(), o.room, o.id) }

// originOf reads the origin of a message. One that no gateway with our keys has signed is not believed: with it somebody
// could keep the message of another from being shown.
func (x *Links) originOf(st *stanza.Stanza) (origin, bool) {
	e := st.Child(nsPassed, "origin")
	if e == nil {
		return origin{}, false
	}
	o := origin{e.Attr("room"), e.Attr("id")}
	return o, x.signer.Verify(o.room+"\n"+o.id, e.Attr("signature"))
}

// carried reports whether a gateway with our keys has sent a message to the linked room.
func (l *link) carried(st *stanza.Stanza) bool {
	o, signed := l.links.originOf(st)
	return signed && o.in(l.row.Address) == st.ID
}

// element is how a message carries its origin.
func (x *Links) element(o origin) *stanza.Element {
	return stanza.NewElement(nsPassed, "origin").With("room", o.room).With("id", o.id).With("signature", x.signer.Sign(o.room+"\n"+o.id))
}

// originOfEntry is the origin of an entry of the channel's archive.
func (l *link) originOfEntry(id, payload string) origin {
	if strings.Contains(payload, nsPassed) {
		if o, ok := l.links.originOf(&stanza.Stanza{Kind: stanza.Message, Payload: payload}); ok {
			return o
		}
	}
	return origin{l.channelAddress().String(), id}
}

// maxClaims is how many messages on their way are remembered.
const maxClaims = 20_000

// claims say by which link a message comes to a room, where several could bring it.
type claims struct {
	mu    sync.Mutex
	by    map[string]int64 // by the id in the room
	order []string
}

// take reports whether a link is the one that brings a message, by its id in the room.
func (c *claims) take(id string, link int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if by, ok := c.by[id]; ok {
		return by == link
	}
	if c.by == nil {
		c.by = map[string]int64{}
	}
	c.by[id] = link
	if c.order = append(c.order, id); len(c.order) > maxClaims {
		delete(c.by, c.order[0])
		c.order = c.order[1:]
	}
	return true
}
