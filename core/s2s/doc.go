// Package s2s connects the domains of this process with those of other servers.
//
// # An outgoing stanza
//
// The router gives a stanza for a domain that is not its own to Server.Deliver (destination.go), which finds the link of the pair of
// domains, the sender's and the receiver's (link.go). The link appends it to the queue of its connection, or keeps it until there is
// one: it makes the Dialer connect (connect.go, in a goroutine of its own for each connection), and an outConn negotiates (out.go,
// out_negotiate.go): STARTTLS, the certificate, SASL EXTERNAL or dialback. If that fails, each stanza that waits is returned to its sender
// once, and for a while (back-off) the link returns further ones at once. A link is for one pair, so that the order of its stanzas is
// kept; a connection carries several links to one domain where the other server agrees (sender multiplexing, XEP-0220 §2.5.1).
//
// # An incoming stanza
//
// An inConn (in.go, in_negotiate.go) is a connection that another server has opened. It may send for the pairs of domains for which it has
// proved that it may: by a certificate (SASL EXTERNAL, or for further pairs directly), or by a dialback key, which is verified with the
// server of the domain (verify.go, out_verify.go). Any other stanza ends the stream with invalid-from (in_receive.go). Then it goes to
// router.RouteIn.
//
// # Stream management
//
// Where both sides have it (XEP-0198), what was not acknowledged is sent again after a cut: on the resumed stream, where nothing comes twice
// (management.go, out_manage.go), or else on a new one. A stanza is acknowledged when what this server stores of it is committed
// (in_manage.go). The end of a stream, which the other server answers, says that all was handled.
//
// # Goroutines and locks
//
// Each connection has a goroutine, which owns its fields. A connection that is being opened, or that was opened to verify a key, has one
// from the beginning; Server.Shutdown waits for all of them. The result of a verification comes from the goroutine of another
// connection: results.go. Run removes unused links.
//
// Lock order: link.mu, then outShared.mu, then that of a stream.Queue. links.mu, directory.mu, results.mu and unflushed.mu are
// leaves, as is resumables.mu. No lock is held while a stanza is returned or anything is sent.
//
// Specifications: RFC 6120 §4, §5, §8.1, §13; RFC 7590; XEP-0220, XEP-0185, XEP-0178, XEP-0198, XEP-0368.
package s2s
