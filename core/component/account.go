package component

import "github.com/dragoman-im/dragoman/core/jid"

// Conflict is what happens when a component connects that has all its connections.
type Conflict uint8

// The policies of Conflict.
const (
	Replace Conflict = iota // the oldest connection is ended: it is probably dead
	Reject                  // the new one is refused
)

// Distribution says which one of several connections of a component gets a stanza.
type Distribution uint8

// The values of Distribution.
const (
	Standby Distribution = iota // the oldest; the next one takes over at its end
	Spread                      // that of the sender, so that the stanzas of a sender stay in order
)

// Account is a component that may attach.
type Account struct {
	Domain jid.JID
	Secret string

	Connections  int // at the same time; 1
	Conflict     Conflict
	Distribution Distribution
	Rate         int // bytes a second that all its connections may send; 0: Limits.Rate
}

// State is what an operator is told about a component.
type State struct {
	Domain      jid.JID
	Connections []string // the addresses from which it is connected, oldest first
}
