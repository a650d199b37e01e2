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
	NSRetract    = "urn:xmpp:message-retract:1"            // XEP-0424
	nsOldRetract = "urn:xmpp:message-retract:0"            // XEP-0424 before 0.4
	nsNick       = "http://jabber.org/protocol/nick"       // XEP-0172
	nsArchive    = "urn:xmpp:mam:"                         // XEP-0313, of any version
	nsEvent      = "http://jabber.org/protocol/pubsub#event"
	nsForm       = "jabber:x:data"                      // XEP-0004
	nsBytes      = "http://jabber.org/protocol/ibb"     // XEP-0047
	nsAttention  = "urn:xmpp:attention:0"               // XEP-0224
	nsAddresses  = "http://jabber.org/protocol/address" // XEP-0033
	nsOldEvents  = "jabber:x:event"                     // XEP-0022
)

// lifetime is how long an element of a message is of use to its receiver.
type lifetime uint8

const (
	ephemeral lifetime = iota // now, or only together with another element
	untilRead                 // until the receiver has seen it
	lasting                   // as part of a conversation
)

// conversation are namespaces of elements that belong to a conversation although there may be no text: all sessions of
// an account need them (XEP-0280 §6.1, XEP-0313 §6.1.1).
var conversation = map[string]bool{
	NSReceipts: true, NSMarkers: true, NSConference: true,
	"urn:xmpp:eme:0":                 true, // XEP-0380
	"eu.siacs.conversations.axolotl": true, // XEP-0384 0.3
	"urn:xmpp:omemo:1":               true,
	"urn:xmpp:omemo:2":               true, // XEP-0384
	"urn:xmpp:openpgp:0":             true, // XEP-0373
	"jabber:x:encrypted":             true, // XEP-0027
	"urn:xmpp:message-correct:0":     true, // XEP-0308
	"urn:xmpp:reactions:0":           true, // XEP-0444
	nsOldRetract:                     true,
	NSRetract:                        true,
	"urn:xmpp:message-moderate:0":    true, // XEP-0425 before 0.3
	"urn:xmpp:message-moderate:1":    true, // XEP-0425
	"urn:xmpp:message-attaching:1":   true, // XEP-0367
	"urn:xmpp:fasten:0":              true, // XEP-0422
	"urn:xmpp:jingle-message:0":      true, // XEP-0353
	"urn:xmpp:jingle-message:1":      true,
	"urn:xmpp:call-invites:0":        true, // XEP-0482
	"jabber:x:oob":                   true, // XEP-0066
	"urn:xmpp:sfs:0":                 true, // XEP-0447
	"urn:xmpp:reference:0":           true, // XEP-0372, and pictures of XEP-0385
}

// lifetimeOf decides by the namespace. An unknown element is lasting: it may belong to an extension that is newer than this
// server.
func lifetimeOf(e *stanza.Element) lifetime {
	switch e.Space {
	case NSChatStates, NSHints, NSStanzaID, NSDelay, NSOldDelay, nsNick, nsAddresses, nsOldEvents, nsAttention:
		return ephemeral // XEP-0160 §3: chat states; the others are about the message
	case stanza.NSClient:
		if e.Local == "thread" { // sent with chat states too (XEP-0085 §5.7)
			return ephemeral
		}
	case NSMUCUser:
		if !invites(e) { // status codes and the like, for occupants
			return ephemeral
		}
	case nsForm, nsEvent: // a question, or a notification about items that the node still has
		return untilRead
	}
	if isProtocolData(e) {
		return ephemeral
	}
	return lasting
}

// invites reports whether an element of a room is an invitation or the answer to one.
func invites(x *stanza.Element) bool {
	return x.Child(NSMUCUser, "invite") != nil || x.Child(NSMUCUser, "decline") != nil
}

// isProtocolData reports whether an element belongs to a protocol that uses messages for its own purposes: archive
// results, carbon copies, in-band bytestreams, forms, and pubsub notifications. They are for one session, and no part of a
// conversation.
func isProtocolData(e *stanza.Element) bool {
	switch e.Space {
	case NSCarbons:
		return e.Local == string(Sent) || e.Local == string(Received)
	case nsBytes, nsEvent, nsForm:
		return true
	}
	return strings.HasPrefix(e.Space, nsArchive)
}
