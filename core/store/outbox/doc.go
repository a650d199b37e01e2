// Package outbox keeps messages to other servers in the store until they are known to have arrived, so that the end of the process does
// not lose them.
//
// Messages to one domain that are written in one commit are one row (rows.go), with a bit for each that is done with: a row costs much
// more than a message. What is done with before it was written is never written. Rows of which all is done with are deleted in the
// commits that write others, or within removeWait. Until then a restart sends these messages again.
//
// All rows for a domain are written by one partition of the store, in the order in which Add was called, and Load returns them in it.
//
// The package has no goroutine but those of its timers, which only queue a write; Flush stops them. The lock of a writer is a leaf, held
// for no I/O.
package outbox
