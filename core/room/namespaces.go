package room

// Namespaces of requests and of what a room adds to messages, beside those of packages muc, rules and hats.
const (
	nsSelfPing    = "http://jabber.org/protocol/muc#self-ping-optimization" // XEP-0410 §3.3
	nsRetract     = "urn:xmpp:message-retract:1"                            // XEP-0424
	nsModerate    = "urn:xmpp:message-moderate:1"                           // XEP-0425
	nsFasten      = "urn:xmpp:fasten:0"                                     // XEP-0425 0.2
	nsModerateOld = "urn:xmpp:message-moderate:0"
	nsRegister    = "jabber:iq:register"
	nsMAM         = "urn:xmpp:mam:2"
	nsDiscoInfo   = "http://jabber.org/protocol/disco#info"
	nsDiscoItems  = "http://jabber.org/protocol/disco#items"
)
