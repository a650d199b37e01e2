// Package roster keeps the contacts of the accounts of a host: the items that a client
// edits (RFC 6121 §2), and the presence subscriptions that change them from both sides
// (RFC 6121 §3, Appendix A, which is one table in states.go).
// Every change is one function that the store calls inside a transaction. Right after the commit the
// store's writer sends the roster push, and before it the subscription stanza that caused the change, so
// that pushes arrive in the order of their versions. Stanzas to others are routed afterwards, in the
// goroutine of the request. An account's subscriptions are cached in its slot, which each commit
// invalidates, and with them which others were looked up in the roster. There is no goroutine; the lock of answers is a leaf.
//
// Shared groups (groups.go, shared.go) are kept by the operator: their members are in each other's rosters with subscription both,
// which no client can change. They are not stored. Each group is in memory once; what an account sees is computed when
// it is asked for, and the version of its roster has two parts, of what is stored and of the groups.
//
// Specifications: RFC 6121 §2, §3 and Appendix A, XEP-0237, XEP-0356 (features/privilege decides
// who may use it).
package roster
