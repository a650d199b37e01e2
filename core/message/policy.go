package message

import (
	"strings"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// Archivable reports whether an account's archive stores a message: one of type normal or chat with lasting
// content, unless a hint forbids it (XEP-0313 §6.1.1, XEP-0334 §4.1, §4.2). Groupchat messages are archived by their
// rooms.
func Archivable(st *stanza.Stanza) bool {
	switch st.Type {
	case stanza.TypeGroupchat, stanza.TypeHeadline, stanza.TypeError:
		return false
	}
	return storable(st, lasting, NoStore, NoPermanentStore)
}

// Offline reports whether a message is stored for a receiver without a session (XEP-0160 §3). The hint
// no-permanent-store does not forbid that (XEP-0334 §4.1).
func Offline(st *stanza.Stanza) bool {
	switch st.Type {
	case stanza.TypeGroupchat, stanza.TypeHeadline, stanza.TypeError:
		return false
	}
	return storable(st, untilRead, NoStore)
}

// Transient reports whether a room's history leaves out a message: chat states and the like, and messages
// with a hint against storing (XEP-0313 §6.1.2, XEP-0334 §4.1, §4.2).
func Transient(st *stanza.Stanza) bool { return !storable(st, lasting, NoStore, NoPermanentStore) }

// storable reports whether a message has content with at least that lifetime, and none of the hints in against.
func storable(st *stanza.Stanza, least lifetime, against ...Hint) bool {
	if strings.HasPrefix(st.Payload, "<body>") && !st.MayHave(NSHints, "store") { // every hint about storing contains "store"
		return true // the common case, without parsing
	}
	wanted := false
	for e := range st.Tree().Elements() {
		if e.Space != NSHints {
			wanted = wanted || lifetimeOf(e) >= least
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

// ToService reports whether a message goes to a service itself, such as a gateway, and not to an address of its users. It
// may be the answer to a question for a password or token: it is neither archived nor copied to other sessions.
func ToService(st *stanza.Stanza) bool { return !st.To.IsZero() && st.To.Local() == "" }

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
	if d == Sent && ToService(st) {
		return false
	}
	if st.MayHave(NSCarbons, "private") && st.Child(NSCarbons, "private") != nil || HasHint(st, NoCopy) { // XEP-0280 §9, XEP-0334 §4.3
		return false
	}
	if st.MayHave(NSMUCUser, "x") {
		if x := st.Child(NSMUCUser, "x"); x != nil && d == Received && st.From.IsFull() {
			return invites(x) // a private message of an occupant: the room sends it to all joined sessions
		}
	}
	if st.Child("", "body") != nil {
		return true
	}
	copied := st.Type == stanza.TypeChat
	for e := range st.Tree().Elements() {
		switch {
		case isProtocolData(e):
			return false
		case e.Space == NSChatStates || conversation[e.Space] || e.Space == NSMUCUser && invites(e):
			copied = true
		}
	}
	return copied
}
