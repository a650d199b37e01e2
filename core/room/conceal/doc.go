// Package conceal replaces real addresses in stanzas that pass through a room from one occupant to another.
//
// Specifications: XEP-0045 §17.4.
package conceal
