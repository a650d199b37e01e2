// Package blocking lets accounts block addresses: stanzas from and to a blocked address are refused
// (XEP-0191). An account's list is cached in its slot and loaded by the first stanza that needs it;
// the store reports each change right after its commit, in the order of the commits.
//
// There is no goroutine and no lock.
//
// What an account reports about an address that it blocks (XEP-0377) is kept in the same transaction as the block.
//
// Specifications: XEP-0191, XEP-0377.
package blocking
