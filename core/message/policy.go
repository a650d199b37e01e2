package message

import (
	"strings"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces by which messages are judged.
const (
	NSChatStates = "http://jabber.org/protocol/chatstates" // XEP-0085
	NSReceipts   = "urn:xmpp:receipts"                     // XEP-0184
	NSMarkers    = "urn:xmpp:chat-markers:0"               // XEP-0333
	NSConference = "jabber:x:conference"                   // XEP-0249
	NSMUCUser    = "http://jabber.org/protocol/muc#user"   // XEP-0045
	NSCarbons    = "urn:xmpp:carbons:2"                    // XEP-0280
	nsNick       = "http://jabber.org/protocol/nick"       // XEP-0172
)

// Archivable reports whether an archive of an account keeps a message: one of type normal or chat
// with content, unless the sender does not want it (XEP-0313 §6.1.1, XEP-0334 §4.1, §4.2).
// Groupchat messages are archived by their rooms.
func Archivable(st *stanza.Stanza) bool {
	switch st.Type {
	case stanza.TypeGroupchat, stanza.TypeHeadline, stanza.TypeError:
		return false
	}
	return lasting(st, NoStore, NoPermanentStore)
}

// Offline reports whether a message waits for a receiver who has no session (XEP-0160 §3). A
// message that is not to be archived may wait all the same (XEP-0334 §4.1).
func Offline(st *stanza.Stanza) bool {
	switch st.Type {
	case stanza.TypeGroupchat, stanza.TypeHeadline, stanza.TypeError:
		return false
	}
	return lasting(st, NoStore)
}

// Transient reports whether a message to a room is left out of its history: chat states and the
// like, and what the sender does not want kept (XEP-0313 §6.1.2, XEP-0334 §4.1, §4.2).
func Transient(st *stanza.Stanza) bool { return !lasting(st, NoStore, NoPermanentStore) }

// lasting reports whether a message will matter later, and has none of the hints against it.
func lasting(st *stanza.Stanza, against ...Hint) bool {
	if strings.HasPrefix(st.Payload, "<body>") && !st.MayHave(NSHints, "store") { // all hints about keeping have that word
		return true // nearly all of them, without a tree
	}
	wanted := false
	for e := range st.Tree().Elements() {
		if e.Space != NSHints {
			wanted = wanted || content(e)
			continue
		}
		for _, h := range against {
			if e.Local == string(h) {
				return false
			}
		}
		wanted = wanted || e.Local == string(Store) // XEP-0334 §4.4
	}
	return wanted
}

// content reports whether an element matters later, and is not only the sender's
// state at the moment (XEP-0160 §3) or something about the message itself.
func content(e *stanza.Element) bool {
	switch e.Space {
	case NSChatStates, NSHints, NSStanzaID, NSDelay, NSOldDelay, nsNick:
		return false
	case stanza.NSClient:
		return e.Local != "thread" // goes with chat states (XEP-0085 §5.7)
	}
	return true
}

// Direction is which way a message goes that is copied.
type Direction string

// The directions, as XEP-0280 names them.
const (
	Sent     Direction = "sent"
	Received Direction = "received"
)

// Copyable reports whether the account's other sessions get a copy (XEP-0280 §6.1). Errors are not
// copied: to which message they belong is not known.
func Copyable(st *stanza.Stanza, d Direction) bool {
	switch st.Type {
	case stanza.TypeGroupchat, stanza.TypeHeadline, stanza.TypeError:
		return false
	}
	if st.MayHave(NSCarbons, "private") && st.Child(NSCarbons, "private") != nil || HasHint(st, NoCopy) { // XEP-0280 §9, XEP-0334 §4.3
		return false
	}
	if st.MayHave(NSMUCUser, "x") {
		if x := st.Child(NSMUCUser, "x"); x != nil && d == Received && st.From.IsFull() {
			return x.Child(NSMUCUser, "invite") != nil // the room sends it to all sessions that are in it
		}
	}
	if st.Type == stanza.TypeChat || st.Child("", "body") != nil {
		return true
	}
	for e := range st.Tree().Elements() {
		switch e.Space {
		case NSChatStates, NSReceipts, NSMarkers, NSConference, NSMUCUser:
			return true
		}
	}
	return false
}
