// Package stanza holds one stanza as immutable, checked bytes with its header
// already read, and an element tree that is made on demand.
//
// A Stanza that arrived on a stream keeps the bytes of its payload; only the
// start tag is written again for each receiver (AppendXML). A new stanza is
// made of Elements, which are encoded; all escaping is in escape.go.
//
// A Stanza may be shared by goroutines as soon as it has been sent; it is not
// changed after that. The With… methods give changed copies that share the payload.
//
// Specifications: RFC 6120 §8, RFC 6121 §5.2.
package stanza
