// Package stream parses XML streams into stanzas and runs connections, whose output is an outbound.Queue.
//
// # Input
//
// A Scanner reads one XML stream and returns its header, its first-level elements
// and its end. It accepts the strict subset of RFC 6120 §11 and nothing that expat
// or encoding/xml refuses, so that accepted elements may be forwarded byte for
// byte, without parsing and printing them. It remembers its position in an
// incomplete element, makes no allocation per element, and holds little memory
// while the peer is silent. Limits bound the size and the nesting of what a peer sends.
//
// # Connections
//
// A Conn runs one connection of any kind (client, server, component) over any Transport (a TCP or TLS
// socket: package socket) or FrameTransport (WebSocket, BOSH). Each kind supplies a Handler. The Conn does everything else, in
// these files:
//
//	conn.go       the loop that reads elements and dispatches them to the Handler
//	read.go       waiting for input: flushing, deadlines, limits of bytes and rate, pings
//	send.go       output: stanzas, headers, features, errors; STARTTLS
//	close.go      the end of the stream on both sides, and of the connection
//	group.go      all connections of a server: accepting, and shutdown with a deadline
//	rest.go       connections that are silent do without a goroutine
//	transport.go  the interfaces of transports
//
// # Goroutines and locks
//
// One goroutine calls Run, Leave and Close of a Conn and all methods of its Handler; for accepted connections
// Group.Go starts it and Group.Shutdown waits for it. While the connection rests there is none, and another one continues (Group.Rest). The
// Scanner belongs to that goroutine. Others may append to the Queue and call Stop and Wake. Close of a Conn waits for the goroutine of its Queue.
//
// The lock of a Group is a leaf: no other lock is taken and nothing blocks while it is held. Under that of rest a Watcher takes its own.
//
// Specifications: RFC 6120 §4, §5, §11; RFC 7395 §3; XEP-0199; Namespaces
// in XML 1.0; XML 1.0 (what both the fourth and the fifth edition accept).
package stream
