// Package muc has the names that a room uses in its stanzas: namespaces, status codes, and the elements that consist of them.
// It has no state.
//
// Specifications: XEP-0045 §16.6.2, §17; XEP-0421.
package muc
