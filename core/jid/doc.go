// Package jid implements XMPP addresses (RFC 7622) as small comparable values.
//
// A JID is one canonical string and two offsets, so that == compares addresses,
// a JID can be a map key, and Bare does not allocate. Parse accepts text that is ASCII
// and canonical already without allocation; for all other text mellium.im/xmpp/jid
// applies PRECIS and IDNA. XEP-0106 escaping is in escape.go.
//
// The package starts no goroutine and has no lock.
//
// Specifications: RFC 7622, RFC 8265, RFC 6122 (nodeprep), XEP-0106.
package jid
