package room

import "github.com/dragoman-im/dragoman/core/room/rules"

// Namespaces of XEP-0045 and of the extensions that a room adds to its stanzas.
const (
	NS      = "http://jabber.org/protocol/muc"
	NSUser  = "http://jabber.org/protocol/muc#user"
	NSAdmin = "http://jabber.org/protocol/muc#admin"
	NSOwner = "http://jabber.org/protocol/muc#owner"

	NSOccupantID = "urn:xmpp:occupant-id:0" // XEP-0421
	NSHats       = "urn:xmpp:hats:0"        // XEP-0317
	NSPing       = "urn:xmpp:ping"          // XEP-0199
	NSVCard      = "vcard-temp"             // XEP-0054

	nsSelfPing    = "http://jabber.org/protocol/muc#self-ping-optimization" // XEP-0410 §3.3
	NSStable      = "http://jabber.org/protocol/muc#stable_id"              // XEP-0045 §7.4
	nsRequest     = "http://jabber.org/protocol/muc#request"
	nsRoomInfo    = rules.NSRoomInfo
	nsRetract     = "urn:xmpp:message-retract:1"  // XEP-0424
	nsModerate    = "urn:xmpp:message-moderate:1" // XEP-0425
	nsFasten      = "urn:xmpp:fasten:0"           // XEP-0425 0.2
	nsModerateOld = "urn:xmpp:message-moderate:0"
	nsAddress     = "http://jabber.org/protocol/address"
	nsRegister    = "jabber:iq:register"
	nsMAM         = "urn:xmpp:mam:2"
	nsDiscoInfo   = "http://jabber.org/protocol/disco#info"
	nsDiscoItems  = "http://jabber.org/protocol/disco#items"
)

// Status codes of XEP-0045 §16.6.2.
const (
	statusShowsJIDs    = 100
	statusAffiliation  = 101
	statusConfig       = 104
	statusSelf         = 110
	statusLogging      = 170
	statusLoggingOff   = 171
	statusNonAnonymous = 172
	statusSemiAnon     = 173
	statusCreated      = 201
	statusNickAssigned = 210
	statusBanned       = 301
	statusNewNick      = 303
	statusKicked       = 307
	statusRemoved      = 321
	statusMembersOnly  = 322
	statusShutdown     = 332
	statusFault        = 333
)
