// Package component is XEP-0114, both ends: Server accepts other people's components
// and attaches each to the router; Dial makes a Link that attaches a domain of ours to
// a foreign server and comes back by itself.
//
// Each connection has one goroutine that reads it; handlers and the router run in it.
// A Link has one more that moves what waited for the connection into its queue. Serve
// and Run return when all of their goroutines are done.
//
// A component speaks for exactly one domain: the from of all that it sends is in that
// domain (with or without localpart and resource), not in one below it. The protocol
// has no encryption and no acknowledgements: keep it on one machine. What was queued
// and not yet written when a Link lost its connection is sent on the next one. SendAll
// (outgoing.go) tells its caller when the socket has taken what it sent.
//
// Lock order: slot.mu or Link.mu, then the queue's own; sending.mu is a leaf, and its caller is
// told with no lock held.
//
// Specifications: XEP-0114, RFC 6120 §4, XEP-0199.
package component
