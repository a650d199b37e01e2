// Package abuse protects the accounts of a host from strangers. A stranger is an address of another server, unless the operator counts
// accounts of this one too, that is neither in the account's roster nor has been written to by it. What strangers send is refused
// where a block list has them (lists.go), and limited otherwise: a first message, or subscription request, passes. Each
// account may choose to take messages of strangers without these limits, or none at all (commands.go). What accounts report about those
// that they block (XEP-0377) is shown to operators (reports.go).
//
// What an account has from strangers is counted in its slot, and what one stranger sends to many in a table of fixed size.
// There is no goroutine. Locks: contacts.mu, senders.mu and Source.mu, never held together or across I/O.
//
// Specifications: XEP-0377, XEP-0050.
package abuse
