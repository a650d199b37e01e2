// Package bosh has the server's end of XMPP over requests and answers of HTTP (BOSH): Sessions has the sessions of a server, and a Session
// is a stream.FrameTransport, as a WebSocket is one.
//
//	request.go    what is in the body of a request
//	answer.go     the body of an answer
//	sessions.go   the sessions of a server, by their identifiers
//	session.go    requests in their order, repeated ones, keys, pauses; which requests wait
//	timer.go      how long requests wait, and when a client is gone
//	transport.go  elements as the frames of a stream, in both directions
//
// The path of an element: Parse reads the body of a request, Session.Do puts its elements where the goroutine of the stream reads them
// (ReadFrame), and waits for an answer. What the stream writes (WriteFrames) goes into the answer of the oldest request that waits. The
// attributes of a body stand for the stream's header and its end; they are written and read as the open and close of RFC 7395.
//
// The lock of a Session is a leaf: no other lock is taken and nothing blocks while it is held. A request is answered by whatever goroutine
// finds out what the answer is; its own goroutine, that of the HTTP server, writes it. The package starts no goroutine but that of
// a timer, which ends at once.
//
// Specifications: XEP-0124, without several streams in a session (§16) and without compression of bodies; XEP-0206.
package bosh
