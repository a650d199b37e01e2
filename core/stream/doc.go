// Package stream turns bytes into stanzas and stanzas into bytes, and runs the connections that carry them.
//
// # Input and output
//
// A Scanner reads one XML stream and returns its header, its first-level elements
// and its end. It accepts the strict subset of RFC 6120 §11 and nothing that expat
// or encoding/xml refuses, so that what it has accepted may be forwarded byte for
// byte, without parsing and printing it. It keeps its position in an
// incomplete element, allocates nothing per element, and holds little memory
// while the peer is silent. Limits bound what a peer can make it do.
//
// A Queue is the other direction: everybody appends, nobody waits, and one Flush writes all pending bytes
// at once. It starts a goroutine only if the transport does not take everything at once
// or cannot be asked not to block, and that goroutine ends when the queue is empty. Queue.Retain keeps stanzas until they
// are written, so that they can be sent on another connection.
//
// # Connections
//
// A Conn runs one connection of any kind (client, server, component) over any Transport (a TCP or TLS
// socket: package socket) or FrameTransport (WebSocket, BOSH). The kind supplies a Handler. The Conn does everything else, one
// file each:
//
//	conn.go       the loop: next element, and to which method of the Handler it goes
//	read.go       waiting for input: flushing, deadlines, limits of bytes and rate, pings
//	send.go       output: stanzas, headers, features, errors; STARTTLS
//	close.go      the end of the stream on both sides, and of the connection
//	group.go      all connections of a server: accepting, and shutdown with a deadline
//	transport.go  what a Conn needs of a transport
//
// # Goroutines and locks
//
// One goroutine calls Run, Leave and Close of a Conn and all methods of its Handler; for accepted connections
// Group.Go starts it and Group.Shutdown waits for it. The Scanner belongs to that goroutine. Others may
// append to the Queue and call Stop and Wake. Close of a Conn waits for the goroutine of its Queue.
//
// The locks of Queue and Group are leaves: nothing is called under that of a Queue but the function given to Append,
// and nothing blocks under either.
//
// Specifications: RFC 6120 §4, §5, §11; RFC 7395 §3; XEP-0199; Namespaces
// in XML 1.0; XML 1.0 (what both the fourth and the fifth edition accept).
package stream
