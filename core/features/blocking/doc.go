// Package blocking lets people have nothing to do with whom they name (XEP-0191). The lists
// of all accounts are in memory, as every stanza is held against them; the store has them
// for the next start, and tells of each change right after its commit, in order.
//
// Blocking.mu is a leaf.
package blocking
