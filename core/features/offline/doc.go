// Package offline keeps messages for accounts that have no session, and delivers them to the first
// session that becomes available with a priority that is not negative.
//
// It is two stages, and is called by features/presence when a session becomes available. The first
// takes out delays that a sender must not claim. The last of all stages keeps what no session took,
// and holds back what comes while a session is given what was kept for it, so that nothing arrives
// out of order. A message is written
// without waiting; it is safe only after that (router.Pass.BeginWrite). How much an account has is
// counted in its slot, so that the limits hold for messages that are still being written.
// Collecting reads through the store's writer, after all that was handed to it before, and a
// sender who finds that a session has become available meanwhile collects itself: so a message is
// never left behind by a login that happens at the same moment.
//
// Messages to addresses of no account are counted in decoys, so that senders cannot distinguish
// them from accounts.
//
// Lock order: account.order → account.mu → Offline.mu → the router's; none is held across I/O or a
// delivery.
//
// Specifications: XEP-0160, XEP-0203, XEP-0334, RFC 6121 §8.5.2.2.
package offline
