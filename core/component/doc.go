// Package component implements both sides of XEP-0114: a Server accepts external components
// and attaches each to the router; a Link (Dial) attaches a domain of this process to
// another server and reconnects automatically.
//
// Both ends are handlers of a stream.Conn: serverConn (server_conn.go) and linkConn (link_conn.go). Its
// goroutine reads the connection and runs the router or the link's handler. A Link has a second goroutine that moves stanzas
// that waited for the connection into its queue. Server.Run and Link.Run return when all of their goroutines have ended.
//
// A component may send for exactly one domain: the from of every stanza is in that
// domain (with or without localpart and resource), not in a subdomain. A Server's component may have several
// connections (endpoint.go). The protocol has no acknowledgements. A Server retains stanzas until they are written: those that are
// not when a connection ends go to another connection of the component, or are answered with an error. A Link retains
// stanzas until the server has handled them, which it learns from a ping to itself that comes back (link_echo.go). Those that the server may not
// have handled when a connection ends are sent again on the next one, with the same ids, so that some may arrive twice. SendAll
// (link_send.go) reports when the server has handled what it sent. XEP-0114 has no encryption either: keep it on one machine, or use
// a listener with TLS.
//
// Lock order: endpoint.mu or Link.mu, then the queue's own; sending.mu is a leaf, and callbacks
// run with no lock held.
//
// Specifications: XEP-0114, RFC 6120 §4, XEP-0199.
package component
