package convert

import "github.com/dragoman-im/dragoman/core/message"

// Namespaces of what gateways read and write.
const (
	NSCorrect     = "urn:xmpp:message-correct:0"             // XEP-0308
	NSRetract     = "urn:xmpp:message-retract:1"             // XEP-0424
	NSModerateOld = "urn:xmpp:message-moderate:0"            // XEP-0425, version 0.2
	NSFasten      = "urn:xmpp:fasten:0"                      // XEP-0422
	NSModerate    = "urn:xmpp:message-moderate:1"            // XEP-0425
	NSFallback    = "urn:xmpp:fallback:0"                    // XEP-0428
	NSReactions   = "urn:xmpp:reactions:0"                   // XEP-0444
	NSReply       = "urn:xmpp:reply:0"                       // XEP-0461
	NSMarkup      = "urn:xmpp:markup:0"                      // XEP-0394
	NSReference   = "urn:xmpp:reference:0"                   // XEP-0372
	NSMentions    = "urn:xmpp:mentions:0"                    // XEP-0513
	NSOOB         = "jabber:x:oob"                           // XEP-0066
	NSStates      = message.NSChatStates                     // XEP-0085
	NSReceipts    = message.NSReceipts                       // XEP-0184
	NSMarkers     = message.NSMarkers                        // XEP-0333
	NSCarbons     = message.NSCarbons                        // XEP-0280
	NSForward     = "urn:xmpp:forward:0"                     // XEP-0297
	NSPrivilege   = "urn:xmpp:privilege:2"                   // XEP-0356
	NSPrivilege1  = "urn:xmpp:privilege:1"                   // XEP-0356 version 0.3, as ejabberd before 24.10 has it
	NSRoster      = "jabber:iq:roster"                       // RFC 6121 §2
	NSRosterX     = "http://jabber.org/protocol/rosterx"     // XEP-0144
	NSNick        = "http://jabber.org/protocol/nick"        // XEP-0172
	NSVCard       = "vcard-temp"                             // XEP-0054
	NSVCardUpdate = "vcard-temp:x:update"                    // XEP-0153
	NSRegister    = "jabber:iq:register"                     // XEP-0077
	NSSearch      = "jabber:iq:search"                       // XEP-0055
	NSGateway     = "jabber:iq:gateway"                      // XEP-0100 §6
	NSVersion     = "jabber:iq:version"                      // XEP-0092
	NSLast        = "jabber:iq:last"                         // XEP-0012
	NSPing        = "urn:xmpp:ping"                          // XEP-0199
	NSDiscoInfo   = "http://jabber.org/protocol/disco#info"  // XEP-0030
	NSDiscoItems  = "http://jabber.org/protocol/disco#items" // XEP-0030
	NSCommands    = "http://jabber.org/protocol/commands"    // XEP-0050
	NSPubsub      = "http://jabber.org/protocol/pubsub"      // XEP-0060
	NSBookmarks   = "urn:xmpp:bookmarks:1"                   // XEP-0402
	NSConference  = "jabber:x:conference"                    // XEP-0249
	NSRSM         = "http://jabber.org/protocol/rsm"         // XEP-0059
	NSMUC         = "http://jabber.org/protocol/muc"         // XEP-0045
	NSMUCUser     = "http://jabber.org/protocol/muc#user"    // XEP-0045
	NSVoice       = NSMUC + "#request"                       // XEP-0045 §7.13
	NSOccupantID  = "urn:xmpp:occupant-id:0"                 // XEP-0421
	NSMAM         = "urn:xmpp:mam:2"                         // XEP-0313
	NSData        = "jabber:x:data"                          // XEP-0004
	NSIdle        = "urn:xmpp:idle:1"                        // XEP-0319
)
