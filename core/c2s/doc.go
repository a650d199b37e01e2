// Package c2s implements the server side of client streams: TLS, login, binding a session, and the path of a stanza
// from the client to the router and back. Reading, deadlines, limits, pings and closing are those of stream.Conn.
//
// Input, one file per step: stream.Conn → receive.go (is it a well addressed stanza) →
// authorise.go (who may send it) → recipients.go (to how many) → router.Host.Submit.
// Output: session.go (Deliver) → outbound.Queue.
//
// A stream begins with header.go → features.go → starttls.go → login.go → bind.go, or sasl2.go, which does both at once; conn.go runs
// it and ends it. inline.go is the table of what a client can ask for together with its login. address_limiter.go decides which addresses may connect and try passwords, and how often.
//
// A conn is one connection: the stream.Handler of its stream.Conn, whose goroutine owns its state. Server.Shutdown waits for
// these goroutines; the package starts no others. A silent connection has none: Server.Rest waits for the input of all of them. A session is a bound resource. It is a type of its own because
// stanzas can be delivered to it while no connection is attached. Other goroutines call only the methods of router.Session, and Stop of
// the stream.Conn. While a client is silent its connection costs that one goroutine and a small buffer, and after some seconds neither.
//
// Lock order: session.mu, then the queue's own. addressLimiter.mu is a leaf.
//
// Specifications: RFC 6120, RFC 6121 §8.1, RFC 7590, XEP-0305, XEP-0368, XEP-0386, XEP-0388, XEP-0440, XEP-0478, XEP-0509,
// XEP-0199, XEP-0205.
package c2s
