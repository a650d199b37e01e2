// Package convert turns events of a network into content of stanzas, and stanzas into requests to the
// network. It is pure: it reads no store and no clock, starts no goroutine and holds no
// lock. Whatever a conversion needs besides its input (the author of a quoted message, the
// ids of a thread) is passed as an argument.
//
// Addresses (addresses.go) makes addresses and stable ids. Content (content.go, text.go) is for
// messages to XMPP, Parse (request.go) for messages from XMPP, puppet.go shows people as vCards,
// presence and members of rooms, errors.go turns errors of a network into stanza errors.
//
// Specifications: XEP-0054, 0066, 0085, 0106, 0184, 0201, 0203, 0245, 0280, 0297, 0308, 0333,
// 0334, 0356, 0359, 0372, 0380, 0393, 0394, 0421, 0424, 0425, 0428, 0444, 0461, 0513.
package convert
