// Package version compares the versions of XMPP in stream headers. It starts no goroutine.
//
// Specifications: RFC 6120 §4.7.5.
package version
