// Package certificate decides whether a certificate belongs to an XMPP domain, for links to other servers in both
// directions. Verify checks the path to a trusted root and the names (DNS-ID, SRV-ID and XmppAddr, never the
// common name), and takes what the domain has published elsewhere as Evidence: TLSA records that DNSSEC protects,
// fingerprints of POSH, keys of host-meta-2, names of a secure delegation. Certificates of a path to a trusted root are checked
// for revocation by Evidence.Revoked; those that the domain itself has published are not (RFC 7671 §5.1).
//
// The package starts no goroutine and has no lock.
//
// Specifications: RFC 9525, RFC 6120 §13.7, RFC 4985, RFC 6698, RFC 7671, RFC 7673, RFC 7711, RFC 7712, XEP-0487, RFC 5280 §6.3.
package certificate
