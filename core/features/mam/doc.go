// Package mam keeps the archive of each account's one-to-one messages and answers queries
// about it (XEP-0313) through the engine in core/archive.
// One stage archives outbound messages for the sender and inbound messages for the receiver. A message
// has the same id in both archives; the receiver gets it as a stanza-id (XEP-0359). A message is
// delivered without waiting for its write: it is written with the store's next group, and is safe only
// after that (router.Pass.BeginWrite). Forged stanza-ids of the account are removed. The stage runs
// before that of carbons, so that copies contain the id. What is sent to a service itself is not archived (message.ToService).
// A message to a gateway of this server is archived for its sender by the gateway (router.Endpoint.ArchiveForSenders),
// in one transaction with the outbox.
// The preferences of an account are cached in its slot. There is no goroutine.
//
// A session that has queried its archive before its first presence does not get as offline messages what it has been given as
// results (XEP-0313 §6.1.1): the ids of those are in the account's slot (given.go), whose lock is held across nothing. What it
// has not been given, for example because it queried for one contact, and everything for clients that do not query, is delivered.
//
// Specifications: XEP-0313, XEP-0359, XEP-0441, XEP-0334.
package mam
