// Package rules holds the rules of a room (XEP-0045) apart from its occupants: the roles and affiliations and who may change
// whose, the configuration, and the forms in which owners fill it in and people register.
//
// Everything here is a pure function or a value. Package room applies it.
//
// Specifications: XEP-0045 §5, §7.10, §9.9, §10.2, §16.5; XEP-0500.
package rules
