// Package sasl is the server side of SASL: PLAIN, SCRAM with SHA-1, SHA-256 and
// SHA-512, with and without channel binding, and EXTERNAL where the caller knows how to
// judge a certificate.
//
// A Server holds what is the same for all connections of a host. Begin starts an
// Exchange, which knows nothing of XML, so that it serves SASL2 (XEP-0388) too; Dialogue
// wraps it for the <auth/> of RFC 6120 §6.
//
// Accounts are kept as StoredKey and ServerKey per hash, never as a password; PLAIN is
// checked against the same keys. Whoever has no account sees a salt that stays the same and
// rounds as the accounts have them, and fails after the same work, so that nobody learns
// from us who has one.
//
// An Exchange and a Dialogue belong to one goroutine; a Server may be shared. No
// goroutine is started and no lock is taken here.
//
// Specifications: RFC 4422, RFC 4616, RFC 5802, RFC 7677, RFC 9266, RFC 4013; RFC 6120
// §6; XEP-0440, XEP-0474.
package sasl
