// Package message decides how messages are handled: whether an archive, the offline storage or a room's
// history stores one, and whether other sessions get a copy (policy.go, lifetime.go). It also reads, adds and removes hints,
// delays, stanza-ids and origin-ids (annotations.go), and replaces corrected messages in a history by their last version
// (corrected.go).
//
// It has no state, no goroutine and no lock. Most decisions are made on the bytes of the message, without
// parsing it.
//
// Specifications: XEP-0082, XEP-0085, XEP-0160 §3, XEP-0203, XEP-0280 §6, XEP-0308, XEP-0313 §6.1, XEP-0334, XEP-0359.
package message
