package message

import (
	"strings"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of elements that decide how a message is handled.
const (
	NSChatStates = "http://jabber.org/protocol/chatstates" // XEP-0085
	NSReceipts   = "urn:xmpp:receipts"                     // XEP-0184
	NSMarkers    = "urn:xmpp:chat-markers:0"               // XEP-0333
	NSConference = "jabber:x:conference"                   // XEP-0249
	NSMUCUser    = "http://jabber.org/protocol/muc#user"   // XEP-0045
	NSCarbons    = "urn:xmpp:carbons:2"                    // XEP-0280
	nsNick       = "http://jabber.org/protocol/nick"       // XEP-0172
)

// Archivable reports whether an account's archive stores a message: one of type normal or chat with
// content, unless a hint forbids it (XEP-0313 §6.1.1, XEP-0334 §4.1, §4.2). Groupchat messages are
// archived by their rooms.
func Archivable(st *stanza.Stanza) bool {
	switch st.Type {
	case stanza.TypeGroupchat, stanza.TypeHeadline, stanza.TypeError:
		return false
	}
	return keeps(st, NoStore, NoPermanentStore)
}

// Offline reports whether a message is stored for a receiver without a session (XEP-0160 §3). The hint
// no-permanent-store does not forbid that (XEP-0334 §4.1).
func Offline(st *stanza.Stanza) bool {
	switch st.Type {
	case stanza.TypeGroupchat, stanza.TypeHeadline, stanza.TypeError:
		return false
	}
	return keeps(st, NoStore)
}

// Transient reports whether a room's history leaves out a message: chat states and the like, and messages
// with a hint against storing (XEP-0313 §6.1.2, XEP-0334 §4.1, §4.2).
func Transient(st *stanza.Stanza) bool { return !keeps(st, NoStore, NoPermanentStore) }

// keeps reports whether a message has content and none of the hints in against.
func keeps(st *stanza.Stanza, against ...Hint) bool {
	if strings.HasPrefix(st.Payload, "<body>") && !st.MayHave(NSHints, "store") { // every hint about storing contains "store"
		return true // the common case, without parsing
	}
	wanted := false
	for e := range st.Tree().Elements() {
		if e.Space != NSHints {
			wanted = wanted || isContent(e)
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

// isContent reports whether an element matters later. Chat states do not (XEP-0160 §3), nor do elements
// about the message itself.
func isContent(e *stanza.Element) bool {
	switch e.Space {
	case NSChatStates, NSHints, NSStanzaID, NSDelay, NSOldDelay, nsNick:
		return false
	case stanza.NSClient:
		return e.Local != "thread" // sent with chat states too (XEP-0085 §5.7)
	}
	return true
}

// Direction says whether a copied message was sent or received by the account.
type Direction string

// The directions, as XEP-0280 names them.
const (
	Sent     Direction = "sent"
	Received Direction = "received"
)

// Copyable reports whether the account's other sessions get a copy of a message (XEP-0280 §6.1). Errors
// are not copied, because it is not known to which message they belong.
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
			return x.Child(NSMUCUser, "invite") != nil // a private message of an occupant: the room sends it to all joined sessions
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
