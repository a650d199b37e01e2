// Package outbound has the output of a connection. Any goroutine may append to a Queue without blocking, and Flush writes all pending bytes
// in one write. It starts a goroutine only if the connection does not accept all bytes at once or has no non-blocking writes, and that
// goroutine ends when the queue is empty. A peer that reads too slowly makes the queue fail: Limits.
//
//	queue.go    what is appended, and its limit
//	flush.go    writing
//	retain.go   stanzas that are kept until they are written, so that they can be sent on another connection if this one fails
//	managed.go  stanzas that are kept until the peer has acknowledged them
//	writer.go   the interfaces of connections
//
// The lock of a Queue is a leaf but for that of an unacked.List: no other lock is taken and nothing blocks while it is held. Under it only the
// function given to Append is called.
//
// Specifications: RFC 7395 §3.3.3, XEP-0198 §4, §5.
package outbound
