// Package offline keeps messages for accounts that nobody is there for, and delivers
// them to the first session that arrives with a priority that is not negative.
//
// It is two stages and an arrival of features/presence. Stage keeps what nobody was there
// for. Turn is the last one: what comes while a session is given what was kept for it waits
// behind that, so that nothing comes out of turn. A message is written
// without waiting; the sender's acknowledgement waits by the stage's promise. How much
// an account has is counted here, so that the limits hold for messages that are still
// being written. Collecting reads through the store's writer, after all that was handed
// to it before, and a sender who finds that a session arrived meanwhile collects itself:
// so a message is never left behind by a login that happens at the same moment.
//
// Lock order: Offline.turns → Offline.mu → the router's; none is held across I/O or a delivery.
//
// Specifications: XEP-0160, XEP-0203, XEP-0334, RFC 6121 §8.5.2.2.
package offline
