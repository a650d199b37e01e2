// Package core holds the XMPP server. It has no code of its own: each step of a stanza's path is
// a package below it. This is the path, from the sender's socket to the receiver's.
//
//  1. stream.Conn.Run          stream/conn.go: the loop of one connection, in its own goroutine. When no complete
//     element is left, stream/read.go flushes what was caused so far and waits for bytes of a
//     socket.Conn, socket/conn.go (of clients also a websocket.Conn or a bosh.Session, which package web begins); stream.Scanner.Next, stream/scanner.go, checks them and returns one element
//  2. c2s conn.Receive         c2s/receive.go: is it a well addressed stanza; c2s/authorise.go: may this
//     sender send it now; it gets the sender's address
//  3. router.Bound.Submit      router/submit.go: the outbound stages of the sender's account, then
//     Router.RouteIn, router/router.go: by the receiver's domain, which is a Host of ours, a gateway's
//     Endpoint, a component's link, or (for all others) the remote Destination
//  4. router.Host.deliver      router/host.go: the receiver's Account, which is resolved first
//     (router/resolve.go), then RFC 6121 §8 as a table, router/rules.go: which of its sessions, the
//     server itself, or nobody
//  5. stages                   what else sees the stanza at the sender's and the receiver's account, such as
//     the archive, or offline where no session takes it; server/features.go lists the features, of
//     which each declares its stages, IQ handlers and the rest (router.Feature)
//  6. session.Deliver          c2s/session.go: the start tag is written again, the
//     rest is copied unchanged, into the queue of the receiving session's connection
//  7. outbound.Queue           outbound/queue.go: pending bytes, limited. When the sender's connection has handled all its
//     input, step 1 makes the router flush each queue that this input was appended to:
//     Queue.Flush, outbound/flush.go, in one write, by the sender's goroutine if the socket takes it without blocking
//
// An IQ for the server or for an account is answered in step 4 by the handler that a feature declares for
// its namespace; presence goes to features/presence there.
//
// Package transports describes the paths between XMPP and the networks. They begin and end in
// step 3: an Endpoint of the router where a gateway runs inside this server, the dialling end of
// package component where it runs under another one.
//
// Package s2s connects this server with others. It is the remote Destination of step 3: Server.Deliver, s2s/destination.go, is given the
// stanzas for their domains; s2s/doc.go continues the path to the other server's socket. A stanza from another server comes in at
// step 2, in s2s/in_receive.go. Package federation sets it up from the configuration; package s2s/locate finds the servers of a domain.
//
// Package bytestreams relays files between clients, beside all of this.
// Before a peer has authenticated, package peerlimit limits its connections, guesses and registrations. Package message
// decides which messages are archived, stored and copied. Package store/exclusive lets one process at a time use a database.
//
// Acknowledgements are sent only after the transaction has committed: an IQ result of a set, a room's
// reflection of a message to a gateway, the acknowledgement of a network's event. All writes go through
// package store, which commits in groups.
package core
