// Package blocking lets accounts block addresses: stanzas from and to a blocked address are refused
// (XEP-0191). An account's list is cached in its slot and loaded by the first stanza that needs it;
// the store reports each change right after its commit, in the order of the commits.
//
// There is no goroutine and no lock.
//
// Specification: XEP-0191.
package blocking
