// Package carbons copies one-to-one messages to those of an account's sessions that were
// not part of them (XEP-0280). Which sessions want copies is a flag of the
// session. Copies go straight to the sessions, past all rules, so that nothing that happens
// to them ever reaches the other side (XEP-0280 §11).
//
// The stage has to come after whatever changes or stops a message (blocking, archive). It
// costs nothing where no session wants a copy. There is no goroutine and no lock.
//
// Specifications: XEP-0280, XEP-0297, XEP-0334.
package carbons
