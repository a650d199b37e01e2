// Package core holds the XMPP server. It has no code of its own: each step of a stanza's way is
// a package below it, and this is the way, from socket to socket.
//
// Stanza in:
//
//  1. stream.Scanner.Next      stream/scanner.go: the bytes of one element, checked, with its place
//     kept where it has only half arrived
//  2. c2s conn.Receive         c2s/receive.go: is it a stanza, well addressed; c2s/authorise.go: may this
//     sender say it now; the sender's address is stamped on it
//  3. router.Host.Submit       router/submit.go: the outbound stages of the sender's own server, then
//     Router.RouteIn, router/router.go: by the receiver's domain, which is a Host of ours, a gateway's
//     Endpoint, a component's link, or (for all others) the remote Destination
//  4. router.Host.deliver      router/host.go, router/rules.go: RFC 6121 §8 as a table: which sessions of
//     the account, the server itself, or nobody
//  5. stages                   server/stages.go: what else sees it at both ends of its way, such as the
//     archive, or offline where nobody is there or what was kept is not given out yet
//  6. Session.Deliver          c2s/session.go: into the session's queue, the start tag written anew, the
//     rest as it came
//  7. stream.Queue             stream/queue.go: bytes that wait, bounded; one write for all that a reader
//     caused with the bytes that it had
//
// An IQ for the server is answered in step 4 by the handler that a feature registered for its
// namespace; presence goes to features/presence there.
//
// The two ways between XMPP and the networks are told in package transports. They begin and end in
// step 3: an Endpoint of the router where a gateway runs inside this server, the dialling end of
// package component where it runs under another one.
//
// What is promised is on disk before it is said: an IQ result of a set, a room's reflection of a message
// to a gateway, the acknowledgement of a network's event. All writes go through the one writer of
// package store, which commits in groups.
package core
