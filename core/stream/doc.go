// Package stream turns bytes into stanzas and stanzas into bytes.
//
// A Scanner reads one XML stream and yields its header, its first-level elements
// and its end. It accepts the strict subset of RFC 6120 §11 and nothing that expat
// or encoding/xml refuses, so that what it has accepted may be passed on byte for
// byte: to forward is not to parse and print again. It keeps its place in a
// half-arrived element, allocates nothing per element, and holds next to no memory
// while the peer is silent. Limits bound what a peer can make it do.
//
// A Queue is the other direction: anybody appends, nobody waits, one write per
// flush. It starts a goroutine only where the socket does not take all at once
// or cannot be asked, and that goroutine ends when the queue is empty.
//
// A Conn is the socket below both: it turns to TLS where it stands and can be written to
// without blocking. Header, Error and the Append functions write what surrounds stanzas;
// ServerTLS, OwnCertificate, Exporter and EndPoint are what a stream needs of TLS.
//
// A Scanner belongs to one goroutine. A Queue may be used by all; its lock is a
// leaf: nothing is called under it but the function given to Append. That of a Conn is
// one too, and no write under it blocks.
//
// Specifications: RFC 6120 §4, §5, §11; RFC 7395 §3; RFC 9266; XEP-0368; Namespaces
// in XML 1.0; XML 1.0 (what both the fourth and the fifth edition accept).
package stream
