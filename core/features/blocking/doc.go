// Package blocking lets an account receive nothing from the addresses that it names, and send
// nothing to them (XEP-0191). An account's list is loaded into its slot when the first stanza
// needs it; the store reports each change right after its commit, in order.
//
// There is no goroutine and no lock.
//
// Specification: XEP-0191.
package blocking
