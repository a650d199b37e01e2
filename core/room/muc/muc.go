package muc

import (
	"strconv"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of XEP-0045 and of the extensions that a room adds to its stanzas.
const (
	NS      = "http://jabber.org/protocol/muc"
	NSUser  = "http://jabber.org/protocol/muc#user"
	NSAdmin = "http://jabber.org/protocol/muc#admin"
	NSOwner = "http://jabber.org/protocol/muc#owner"

	NSStable     = "http://jabber.org/protocol/muc#stable_id" // XEP-0045 §7.4
	NSRequest    = "http://jabber.org/protocol/muc#request"   // XEP-0045 §7.13
	NSOccupantID = "urn:xmpp:occupant-id:0"                   // XEP-0421
	NSAddress    = "http://jabber.org/protocol/address"       // XEP-0033
	NSPing       = "urn:xmpp:ping"                            // XEP-0199
	NSVCard      = "vcard-temp"                               // XEP-0054
	NSVersions   = "urn:xmpp:muc:affiliations:1"              // XEP-0463
)

// Status codes of XEP-0045 §16.6.2.
const (
	StatusShowsJIDs    = 100
	StatusAffiliation  = 101
	StatusConfig       = 104
	StatusSelf         = 110
	StatusLogging      = 170
	StatusLoggingOff   = 171
	StatusNonAnonymous = 172
	StatusSemiAnon     = 173
	StatusCreated      = 201
	StatusNickAssigned = 210
	StatusBanned       = 301
	StatusNewNick      = 303
	StatusKicked       = 307
	StatusRemoved      = 321
	StatusMembersOnly  = 322
	StatusShutdown     = 332
	StatusFault        = 333
)

// Status returns the element of a status code.
func Status(code int) *stanza.Element {
	return stanza.NewElement(NSUser, "status").With("code", strconv.Itoa(code))
}

// OccupantID returns the element of an occupant id (XEP-0421 §3).
func OccupantID(id string) *stanza.Element {
	return stanza.NewElement(NSOccupantID, "occupant-id").With("id", id)
}

// ErrorReply is st.ErrorReply with the element by which clients recognise an answer to presence as a room's (XEP-0045 §7.2.5).
func ErrorReply(st *stanza.Stanza, e *stanza.Error) *stanza.Stanza {
	reply := st.ErrorReply(e)
	if reply != nil && st.Kind == stanza.Presence {
		reply.Payload = "<x xmlns='" + NS + "'/>" + reply.Payload
	}
	return reply
}
