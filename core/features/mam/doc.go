// Package mam keeps the archive of each account's one-to-one messages and answers queries
// about it (XEP-0313) through the engine in core/archive.
//
// It is a stage: outbound for what the account sends, inbound for what it gets. A message has one
// id in all archives of this server, which is given where the message enters, and which the
// receiver gets as its stanza-id (XEP-0359). Archiving does not hold a message up: it is written
// in the store's next group, and the message is safe only after that (router.Pass.BeginWrite). A
// stanza-id that claims to be the account's and is not is taken out. The stage runs before that
// of carbons, so that copies carry the id.
//
// The preferences of an account are in its slot. There is no lock.
//
// Specifications: XEP-0313, XEP-0359, XEP-0441, XEP-0334.
package mam
