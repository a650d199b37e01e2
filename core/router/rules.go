package router

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// action is what happens to a message.
type action uint8

const (
	ignore action = iota // silently
	refuse               // service-unavailable to the sender
	keep                 // to the Undelivered stages, refused where none takes it
	one                  // to the session with that address
	every                // to every session with a priority that is not negative
)

// match is how a message's address fits the sessions of the account.
type match uint8

const (
	absentBare  match = iota // bare address; no session with non-negative priority
	absentFull               // full address without its session, and none else either
	presentBare              // bare address; at least one such session
	presentFull              // full address without its session, others are there
	matched                  // full address of a session, available or not
)

// messageType is a column of the table below.
type messageType uint8

const (
	normal messageType = iota
	chat
	groupchat
	headline
	failure
)

func typeOf(typ string) messageType {
	switch typ {
	case stanza.TypeChat:
		return chat
	case stanza.TypeGroupchat:
		return groupchat
	case stanza.TypeHeadline:
		return headline
	case stanza.TypeError:
		return failure
	}
	return normal // RFC 6121 §5.2.2: what is missing or unknown
}

// messageRules is RFC 6121 §8.5.4. Where it leaves a choice, an account that does not
// exist is treated as one without sessions (§8.5.1), "most available" means every
// session with a non-negative priority (§8.5.2.1.1), and a sender of normal messages
// and rooms get an error for a session that has ended (§8.5.3.2.1).
var messageRules = [...][5]action{
	//            normal  chat   groupchat headline failure
	absentBare:  {keep, keep, refuse, ignore, ignore},    // §8.5.2.2.1
	absentFull:  {refuse, keep, refuse, ignore, ignore},  // §8.5.3.2.1
	presentBare: {every, every, refuse, every, ignore},   // §8.5.2.1.1
	presentFull: {refuse, every, refuse, ignore, ignore}, // §8.5.3.2.1
	matched:     {one, one, one, one, one},               // §8.5.3.1
}

// find is the session of a full address, or nil.
func find(sessions []*Bound, full jid.JID) *Bound {
	for _, b := range sessions {
		if b.jid == full {
			return b
		}
	}
	return nil
}

// choose looks a message's address up among the account's sessions and appends those
// that get it to targets.
func choose(st *stanza.Stanza, sessions, targets []*Bound) (action, []*Bound) {
	at, unmatched := absentBare, presentBare
	if st.To.IsFull() {
		if b := find(sessions, st.To); b != nil {
			return messageRules[matched][typeOf(st.Type)], append(targets, b)
		}
		at, unmatched = absentFull, presentFull
	}
	for _, b := range sessions {
		if p := b.Presence(); p != nil && p.Priority >= 0 {
			at = unmatched
			targets = append(targets, b)
		}
	}
	a := messageRules[at][typeOf(st.Type)]
	if a != every {
		targets = targets[:0]
	}
	return a, targets
}
