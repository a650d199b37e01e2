// Package roster keeps the contacts of the accounts of a host: the items that a client
// edits (RFC 6121 §2), and the presence subscriptions that change them from both sides
// (RFC 6121 §3, Appendix A, which is one table in states.go).
//
// Every change is one function that the store runs inside a transaction. What follows
// from it inside the account (the roster push, the subscription stanza that explains
// it) is sent from the store's writer right after the commit, so that pushes reach the
// clients in the order of their versions; what goes to others is routed afterwards by
// the goroutine that asked for the change. An account's subscriptions are in its slot, which a
// commit empties. No lock is held anywhere.
//
// Specifications: RFC 6121 §2, §3 and Appendix A, XEP-0237, XEP-0356 (for whom it may
// be allowed; features/privilege decides).
package roster
