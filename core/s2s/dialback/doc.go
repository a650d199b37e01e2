// Package dialback has the elements and the keys of dialback, by which servers prove that domains are theirs: the originating server sends a
// key, and the receiving one asks the server of the domain whether it has made that key. Package s2s sends and receives the elements.
//
// The package starts no goroutine and has no lock.
//
// Specifications: XEP-0220, XEP-0185.
package dialback
