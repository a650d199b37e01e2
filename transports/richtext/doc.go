// Package richtext is the neutral form of a message's text: a small tree that every
// network's folder makes from its own markup and renders into it, and that the
// bridge renders as XEP-0393 styling for XMPP and reads back from it.
//
// A Text is a sequence of nodes. Inline nodes follow each other on a line, Break ends a
// line, block nodes (Pre, Quote, List, Heading) are on lines of their own. The tree is
// plain data: it is kept as JSON in the bridge's inbox and outbox. HTML and ParseHTML are for networks whose
// messages are HTML; no network of this module is one.
//
// Nothing here starts a goroutine or takes a lock.
// Specifications: XEP-0393 (styling), XEP-0245 (/me, by the bridge).
package richtext
