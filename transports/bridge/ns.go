package bridge

// Namespaces of what the bridge reads and writes.
const (
	nsDelay      = "urn:xmpp:delay"                         // XEP-0203
	nsStanzaID   = "urn:xmpp:sid:0"                         // XEP-0359
	nsCorrect    = "urn:xmpp:message-correct:0"             // XEP-0308
	nsRetract    = "urn:xmpp:message-retract:1"             // XEP-0424
	nsModerate   = "urn:xmpp:message-moderate:1"            // XEP-0425
	nsFallback   = "urn:xmpp:fallback:0"                    // XEP-0428
	nsReactions  = "urn:xmpp:reactions:0"                   // XEP-0444
	nsReply      = "urn:xmpp:reply:0"                       // XEP-0461
	nsOOB        = "jabber:x:oob"                           // XEP-0066
	nsStates     = "http://jabber.org/protocol/chatstates"  // XEP-0085
	nsReceipts   = "urn:xmpp:receipts"                      // XEP-0184
	nsMarkers    = "urn:xmpp:chat-markers:0"                // XEP-0333
	nsHints      = "urn:xmpp:hints"                         // XEP-0334
	nsCarbons    = "urn:xmpp:carbons:2"                     // XEP-0280
	nsForward    = "urn:xmpp:forward:0"                     // XEP-0297
	nsPrivilege  = "urn:xmpp:privilege:2"                   // XEP-0356
	nsPrivilege1 = "urn:xmpp:privilege:1"                   // XEP-0356 version 0.3, as ejabberd before 24.10 has it
	nsRoster     = "jabber:iq:roster"                       // RFC 6121 §2
	nsRosterX    = "http://jabber.org/protocol/rosterx"     // XEP-0144
	nsNick       = "http://jabber.org/protocol/nick"        // XEP-0172
	nsVCard      = "vcard-temp"                             // XEP-0054
	nsRegister   = "jabber:iq:register"                     // XEP-0077
	nsGateway    = "jabber:iq:gateway"                      // XEP-0100 §6
	nsVersion    = "jabber:iq:version"                      // XEP-0092
	nsLast       = "jabber:iq:last"                         // XEP-0012
	nsPing       = "urn:xmpp:ping"                          // XEP-0199
	nsDiscoInfo  = "http://jabber.org/protocol/disco#info"  // XEP-0030
	nsDiscoItems = "http://jabber.org/protocol/disco#items" // XEP-0030
	nsCommands   = "http://jabber.org/protocol/commands"    // XEP-0050
	nsRSM        = "http://jabber.org/protocol/rsm"         // XEP-0059
	nsMUC        = "http://jabber.org/protocol/muc"         // XEP-0045
	nsMUCUser    = "http://jabber.org/protocol/muc#user"    // XEP-0045
	nsMAM        = "urn:xmpp:mam:2"                         // XEP-0313
	nsData       = "jabber:x:data"                          // XEP-0004
	nsIdle       = "urn:xmpp:idle:1"                        // XEP-0319
)
