// Package sasl is the server side of SASL: PLAIN, SCRAM with SHA-1, SHA-256 and
// SHA-512, with and without channel binding, EXTERNAL if the caller can
// verify a certificate, and ANONYMOUS if it makes accounts for peers without one.
//
// A Server holds what is the same for all connections of a host. Begin starts an
// Exchange, which is independent of XML; Dialogue wraps it for the <auth/> of RFC 6120 §6 and the <authenticate/> of
// SASL2 (XEP-0388).
//
// Accounts are kept as StoredKey and ServerKey per hash, never as a password; PLAIN is
// checked against the same keys. For a user name without an account the answers are decoys (decoy.go): the salt is always the same,
// the number of rounds is one that accounts have, and the exchange fails after the same work, so that
// nobody can find out which accounts exist.
//
// An account that lacks the key of a hash gets it when its client logs in with PLAIN or does an upgrade task (upgrade.go).
//
// A client that has logged in may get a token, with which it logs in by a mechanism of one step (ht.go, fast.go). Tokens are
// not stored: they are computed from a stored seed and the server's secret.
//
// An Exchange and a Dialogue belong to one goroutine; a Server may be shared. The package
// starts no goroutine and takes no lock.
//
// Specifications: RFC 4422, RFC 4505, RFC 4616, RFC 5802, RFC 7677, RFC 9266, RFC 4013; RFC 6120
// §6; draft-schmaus-kitten-sasl-ht-09; XEP-0388, XEP-0440, XEP-0474,
// XEP-0480, XEP-0484.
package sasl
