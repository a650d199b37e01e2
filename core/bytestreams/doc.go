// Package bytestreams relays data between two TCP connections for clients that cannot connect to each other (XEP-0065 §6).
// A Relay accepts connections that name a stream by its hash in a SOCKS5 request. Two of the same hash make a pair; when a feature has
// found that its requester may activate it, it calls Activate, and from then on bytes are copied in both directions. Bytes that
// arrive before are dropped, and nothing is ever connected to elsewhere: the relay cannot be used as an open proxy.
//
// Each connection has a goroutine, which Serve waits for. The lock of a Relay is not held across I/O.
//
// Specifications: XEP-0065, RFC 1928.
package bytestreams
