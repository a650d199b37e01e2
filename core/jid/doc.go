// Package jid holds XMPP addresses (RFC 7622) as small comparable values.
//
// A JID is one canonical string and two offsets, so that == compares addresses,
// a JID can be a map key, and Bare costs nothing. Parse takes an ASCII fast path
// without allocation where the text is canonical already, and otherwise lets
// mellium.im/xmpp/jid apply PRECIS and IDNA. XEP-0106 escaping is in escape.go.
//
// Nothing here starts a goroutine or takes a lock.
package jid
