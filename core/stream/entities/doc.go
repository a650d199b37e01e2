// Package entities resolves the references of XML that need no declaration: the five predefined entities and those to characters. It starts
// no goroutine.
//
// Specifications: XML 1.0 §4.1, §4.6; RFC 6120 §11.1.
package entities
