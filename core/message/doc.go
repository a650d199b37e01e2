// Package message answers for the whole module what a message is worth: whether an archive, a
// mailbox for absent receivers or a room's history keeps it, and whether other sessions get a
// copy. It also reads, writes and takes out what messages carry about themselves: hints, delays,
// stanza-ids and origin-ids.
//
// It has no state, no goroutine and no lock. Most messages are judged by their bytes, without an
// element tree.
//
// Specifications: XEP-0085, XEP-0160 §3, XEP-0203, XEP-0280 §6, XEP-0313 §6.1, XEP-0334, XEP-0359.
package message
