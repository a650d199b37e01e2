// Package unacked has the list of the stanzas that a peer was sent and has not acknowledged (XEP-0198). A List outlives its
// connections: an outbound.Queue adds what is appended to it, or, while there is none, Hold does; outbound.Queue.Resume sends
// all of it again on the next connection.
//
// The package starts no goroutine. The lock of a List is a leaf, taken while that of a Queue is held; no function is called with it but those
// given to Change, Hold and Resend.
//
// Specifications: XEP-0198 §4, §5.
package unacked
