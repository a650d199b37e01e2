package links

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// nsPassed is the namespace of the list of rooms that a message has passed through: one passed element with the address
// of the room for each of them. A message is not taken to a room that is on its list, so that a circle of linked rooms
// does not repeat it.
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
