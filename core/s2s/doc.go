// Package s2s connects the domains of this process with those of other servers.
//
// # An outgoing stanza
//
//  1. The router gives a stanza for a domain that is not its own to Server.DeliverRecorded (restore.go), which adds it to the outbox, then to
//     Server.Deliver (destination.go). It asks the policy (policy.go)
//     and finds the link of the pair of domains, the sender's and the receiver's (link.go).
//  2. link.deliver appends the stanza to the queue of the link's connection. If there is none, the stanza waits in the link,
//     and Server.connect (connect.go) shares a connection that is open or makes the Dialer connect (dialer.go; package locate finds servers).
//  3. An outConn negotiates on a new connection (out.go, out_negotiate.go): STARTTLS, the certificate, SASL EXTERNAL or dialback
//     (package dialback), stream management. Then link.attach sends what waits.
//  4. Server.Flush writes the queues that were appended to.
//
// If step 2 or 3 fails, link.failed returns each stanza that waits to its sender (Server.giveBack), once, and for a while (back-off) the link
// returns further ones at once. A link is for one pair, so that the order of its stanzas is kept; a connection carries several
// links to one domain where the other server agrees (sender multiplexing, XEP-0220 §2.5.1).
//
// # An incoming stanza
//
// An inConn (in.go, in_negotiate.go) is a connection that another server has opened. That server may send for a pair of domains after it has
// proved that it is the server of the sender's domain: by a certificate (SASL EXTERNAL, or for further pairs directly), or by a dialback
// key (in_dialback.go), about which this server asks the server of that domain (verify.go). receiver.handle (receiver.go) passes stanzas for
// these pairs to router.RouteIn; any other one ends the stream with invalid-from.
//
// # Both directions
//
// If the other server asks for it (XEP-0288), stanzas for the pairs that it may send for go back on its connection (reverse.go), from the moment
// on at which it enables stream management or sends a stanza, unless this server would not use a
// connection to the same server that it has opened itself, because of TLSA records or the policy (inConn.verifyBack): that a peer may send for a
// domain does not say that it may read what is for that domain. A connection that this server has opened, and asked for that on, passes stanzas
// of the pairs that it carries to router.RouteIn (receiver.go).
//
// # Stream management
//
// Where both sides have it (XEP-0198), what was not acknowledged is sent again after a cut: on the resumed stream, where nothing comes twice
// (management.go, out_manage.go), or else on a new one. A stanza is acknowledged when what this server stores of it is committed
// (in_manage.go). The end of a stream, which the other server answers, says that all was handled.
//
// # What is promised
//
// While the process runs, each stanza is sent or returned to its sender. A server that resumes streams gets it once, in order. One that does
// not, such as Prosody, and one that has restarted, gets it at least once: what a connection had sent when it was cut, and the other
// server had not acknowledged, is sent again, although it may have been handled. XEP-0198 without resumption cannot tell: the count of the
// new stream begins at zero, and more requests for acknowledgements only make the part that may come twice smaller (askWait). A stream that the other
// server ends has no such part. Without stream management, what the socket has taken counts as sent, and a cut loses it.
//
// What may not be lost is in the outbox (package outbox) before it is sent, and a client's stanza is acknowledged (XEP-0198) when it is on the
// disk there. When the process is killed, the next one sends it again (restore.go), in the order of each pair of addresses, before anything
// else. It has the same id, and a delay (XEP-0203), and may come twice: if the other server had acknowledged it within the last quarter of a
// second, or had got it and not acknowledged it yet; without stream management, if it was written within the last twenty seconds and is one of
// the last thousand of its pair. What cannot be sent then goes back to its sender as always, when Limits.Wait is over. Presence, requests and what else is not in the
// outbox is lost, and its senders are not told. A client that has not got its acknowledgement sends the message again, too. A stop of the
// server waits for the other servers' acknowledgements; what is in the outbox stays there, and the rest goes back.
//
// # Goroutines and locks
//
// Each connection has a goroutine, which owns its fields. A connection that is being opened, or that was opened to verify a key, has one
// from the beginning; Server.Shutdown waits for all of them. The result of a verification comes from the goroutine of another
// connection, through results (verify.go). Run removes unused links.
//
// Lock order: reverse.mu, then link.mu, then that of an outbound.Queue, then that of an unacked.List. outShared.mu is held while Target.Failed runs. All
// other locks of the package are leaves; links.mu is held while that of a link is tried, which does not wait. No lock is held while a stanza is returned or anything is sent.
//
// Specifications: RFC 6120 §4, §5, §8.1, §13; RFC 7590; XEP-0220, XEP-0185, XEP-0178, XEP-0198, XEP-0288, XEP-0368.
package s2s
