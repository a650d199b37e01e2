package message

import (
	"strings"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// Urgency says what is done with a stanza for a client that nobody is using (XEP-0352).
type Urgency uint8

// The urgencies.
const (
	Now      Urgency = iota // it is sent, behind what was held
	Later                   // it is held until then
	Replaces                // as Later, and an earlier one for which Same returns true is dropped
)

// UrgencyOf returns the urgency of a stanza. Everything that a person could miss is urgent: messages with text or other
// content of a conversation, of rooms too, invitations, calls, requests and answers, subscriptions, errors. Presence, chat states,
// receipts, notifications about items that a node still has, and copies of what the account itself has sent are not.
func UrgencyOf(st *stanza.Stanza) Urgency {
	switch st.Kind {
	case stanza.Presence:
		if (st.Type == "" || st.Type == stanza.TypeUnavailable) && !aboutOwnOccupant(st) {
			return Replaces
		}
	case stanza.Message:
		return messageUrgency(st)
	}
	return Now
}

// aboutOwnOccupant reports whether a presence is a room's about the receiver itself, such as a removal.
func aboutOwnOccupant(st *stanza.Stanza) bool {
	if !st.MayHave(NSMUCUser, "status") {
		return false
	}
	for c := range st.Child(NSMUCUser, "x").Elements() {
		if c.Is(NSMUCUser, "status") && c.Attr("code") == "110" {
			return true
		}
	}
	return false
}

func messageUrgency(st *stanza.Stanza) Urgency {
	if st.Type == stanza.TypeError || strings.HasPrefix(st.Payload, "<body>") {
		return Now
	}
	inner, d := carried(st)
	switch {
	case inner == nil:
		inner = st.Tree()
	case d == Sent:
		return Later // another client of the account has the person's attention
	}
	return contentUrgency(inner)
}

// contentUrgency looks at the children of a message.
func contentUrgency(m *stanza.Element) Urgency {
	state := false
	for e := range m.Elements() {
		switch {
		case e.Space == NSChatStates:
			state = true
		case e.Space == NSReceipts && e.Local == "received", e.Space == NSMarkers && e.Local != "markable", e.Space == nsEvent:
		case e.Is(stanza.NSClient, "thread"), e.Space == NSHints, e.Space == NSStanzaID, e.Space == NSDelay, e.Space == nsNick:
		case e.Space == NSMUCUser && !invites(e): // an occupant's details
		default:
			return Now
		}
	}
	if state {
		return Replaces
	}
	return Later
}

// Same reports whether a stanza that Replaces makes an earlier one worthless: the presence, or the chat state, of the same
// sender. A chat state in a copy is about another conversation than one that is not.
func Same(now, earlier *stanza.Stanza) bool {
	if now.Kind != earlier.Kind || now.From != earlier.From || UrgencyOf(earlier) != Replaces {
		return false
	}
	return now.Kind == stanza.Presence || now.Type == earlier.Type && correspondent(now) == correspondent(earlier)
}

// correspondent returns the sender of a message, or of the message in a copy.
func correspondent(st *stanza.Stanza) string {
	if inner, _ := carried(st); inner != nil {
		return inner.Attr("from")
	}
	return st.From.String()
}
