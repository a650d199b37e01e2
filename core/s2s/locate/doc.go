// Package locate finds the servers of XMPP domains and connects to them.
//
// Dial asks for the SRV records of a domain (order.go puts those of both services into one order), or takes the domain
// itself as the host where it has none, unless host-meta-2 says otherwise (hostmeta.go). The addresses of all hosts
// are tried in this order, with a short delay between them (connect.go), and only public ones unless Options allow a
// network (networks.go). DNS is asked by client.go, or by the resolver of the system (source.go), and every answer is
// kept for its time to live (cache.go). TLSA records, which DNSSEC must protect, are looked up together with the addresses. What a
// domain publishes about its certificates over HTTPS is fetched only for a certificate that is refused otherwise (posh.go).
//
// Goroutines: a call of Dial waits for those that it has started for connections. Lookups whose result goes to the
// cache belong to the Locator; Close waits for them. The lock of a cache is a leaf, and not held during a lookup.
//
// Specifications: RFC 6120 §3.2, RFC 2782, XEP-0368, RFC 8305, RFC 6698, RFC 7673, RFC 7711, RFC 7712, RFC 6415, XEP-0487.
package locate
