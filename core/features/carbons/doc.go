// Package carbons copies one-to-one messages to the account's sessions that neither sent nor received
// them (XEP-0280). A session flag says which sessions have enabled copies. Copies are delivered directly
// to the sessions, without rules and stages, so that an error about a copy never reaches the other
// side (XEP-0280 §11).
// The stage runs after those that change or stop a message (blocking, archive). There is no goroutine and
// no lock.
//
// Specifications: XEP-0280, XEP-0297, XEP-0334.
package carbons
