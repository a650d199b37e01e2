// Package offline stores messages for accounts that have no available session, and delivers them to
// the first session that becomes available with a non-negative priority.
// It has two stages, and features/presence calls it when a session becomes available. One stage removes
// forged delays. The other one runs last: it stores messages that no session gets, and also those that
// arrive while stored messages are being delivered, so that the order is kept. The sender does not wait
// for the write; the message is safe only after it (router.Pass.BeginWrite). An account's usage is
// counted in its slot, by sender, so that the limits include messages that are still being written.
//
// A message stays stored until the socket of its session has taken it (taken.go). Until then it is marked in the
// account's slot, so that it is neither delivered twice nor, when the session returns it, stored twice: its id is
// that of stanza.Stanza.Entry. The mark outlives the message by a read that began before the deletion was committed.
//
// A login at the same moment leaves no message behind: a delivery reads through the store's writer,
// after all earlier writes, and a sender that finds an available session after its write starts a
// delivery itself.
//
// Lock order: account.order → account.mu → Offline.mu → the router's; none is held across I/O or a
// delivery.
//
// Specifications: XEP-0160, XEP-0203, XEP-0334, RFC 6121 §8.5.2.2.
package offline
