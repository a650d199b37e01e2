// Package mam keeps the archive of each account's one-to-one messages and answers queries
// about it (XEP-0313) through the engine in core/archive.
//
// It is a stage: outbound for what the account sends, inbound for what it gets, where the
// message is stamped with its id in the archive (XEP-0359). Archiving does not hold a
// message up: it is written in the store's next group, and the sender's acknowledgement
// waits for that by the stage's promise. A stanza-id that claims to be the account's and
// is not is taken off. The stage stands before that of carbons, so that copies carry the id.
//
// Lock: prefs.mu, never held across I/O.
//
// Specifications: XEP-0313, XEP-0359, XEP-0441, XEP-0334.
package mam
