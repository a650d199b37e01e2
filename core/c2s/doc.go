// Package c2s is the streams of clients: TLS, login, binding a session, and a stanza's
// way from the socket to the router and back.
//
// A stanza's way in, one file per step: read.go (wait, limits of rate and silence) →
// stream.Scanner → receive.go → authorise.go (who may say what) → router.Host.Submit.
// Its way out: session.go (Deliver) → stream.Queue.
//
// A stream's way: header.go → features.go → starttls.go → login.go → bind.go; close.go
// ends it. gate.go says who may connect and try passwords, and how often.
//
// A conn is one connection; one goroutine reads it and owns its state. A session is a
// bound resource. It is told apart from its conn so that it can wait for the next one.
// Others call a session's Deliver, Flush and Close, and a conn's stop, only. While a
// client is silent its connection costs that one goroutine and a small buffer.
//
// Lock order: session.mu, then the queue's own. Server.mu and gate.mu are leaves.
//
// Specifications: RFC 6120, RFC 6121 §8.1, RFC 7590, XEP-0368, XEP-0440, XEP-0478,
// XEP-0199, XEP-0205.
package c2s
