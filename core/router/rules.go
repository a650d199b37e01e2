package router

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// action says what is done with a message.
type action uint8

const (
	ignore action = iota // dropped without an answer
	refuse               // answered with service-unavailable
	keep                 // passed to the Undelivered stages; refused if none of them takes it
	one                  // delivered to the session with that full JID
	every                // delivered to every session with a non-negative priority
)

// match says how a message's address matches the sessions of the account.
type match uint8

const (
	absentBare  match = iota // bare address; no session with non-negative priority
	absentFull               // full address; neither that session nor one with non-negative priority
	presentBare              // bare address; a session with non-negative priority
	presentFull              // full address; not that session, but one with non-negative priority
	matched                  // full address of a session, available or not
)

// messageType is a column of the table below.
type messageType uint8

const (
	normal messageType = iota
	chat
	groupchat
	headline
	errorMessage
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
		return errorMessage
	}
	return normal // RFC 6121 §5.2.2: also a missing or unknown type
}

// messageRules is the table of RFC 6121 §8.5.4. Where the RFC leaves a choice: an account that does not
// exist is treated as one without sessions (§8.5.1), "most available" means every session with a
// non-negative priority (§8.5.2.1.1), and a message of type normal or groupchat to a session that has
// ended is answered with an error (§8.5.3.2.1).
var messageRules = [...][5]action{
	//            normal  chat   groupchat headline failure
	absentBare:  {keep, keep, refuse, ignore, ignore},    // §8.5.2.2.1
	absentFull:  {refuse, keep, refuse, ignore, ignore},  // §8.5.3.2.1
	presentBare: {every, every, refuse, every, ignore},   // §8.5.2.1.1
	presentFull: {refuse, every, refuse, ignore, ignore}, // §8.5.3.2.1
	matched:     {one, one, one, one, one},               // §8.5.3.1
}

// find returns the session with a full JID, or nil.
func find(sessions []*Bound, full jid.JID) *Bound {
	for _, b := range sessions {
		if b.jid == full {
			return b
		}
	}
	return nil
}

// chooseTargets returns the action for a message and appends the sessions that get it to targets.
func chooseTargets(st *stanza.Stanza, sessions, targets []*Bound) (action, []*Bound) {
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
