// Package offline stores messages for accounts that have no available session, and delivers them to
// the first session that becomes available with a non-negative priority.
// It has two stages, and features/presence calls it when a session becomes available. One stage removes
// forged delays. The other one runs last: it stores messages that no session gets, and also those that
// arrive while stored messages are being delivered, so that the order is kept. The sender does not wait
// for the write; the message is safe only after it (router.Pass.BeginWrite). An account's usage is
// counted in its slot, so that the limits include messages that are still being written.
//
// A login at the same moment leaves no message behind: a delivery reads through the store's writer,
// after all earlier writes, and a sender that finds an available session after its write starts a
// delivery itself.
// Messages to addresses without an account are counted in decoys, so that senders cannot find out which
// accounts exist.
//
// Lock order: account.order → account.mu → Offline.mu → the router's; none is held across I/O or a
// delivery.
//
// Specifications: XEP-0160, XEP-0203, XEP-0334, RFC 6121 §8.5.2.2.
package offline
