// Package websocket has the server's end of a WebSocket that carries XMPP (RFC 7395): Upgrade does the handshake over HTTP, and a Conn is
// a stream.FrameTransport.
//
//	upgrade.go  the handshake
//	frame.go    headers of frames, masks
//	read.go     messages from frames, with their limits; pings and the close frame
//	write.go    frames that leave together in one write; the closing handshake
//
// The frames are the package's own: a library would write each message singly. A message is limited before it has arrived, in size and in
// fragments, and takes memory only as its bytes arrive. There are no extensions, so nothing is compressed.
//
// One goroutine reads; one at a time writes. Close may be called by any. The package starts no goroutine and has no lock.
//
// Specifications: RFC 7395 §3, RFC 6455.
package websocket
