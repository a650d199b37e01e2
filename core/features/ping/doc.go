// Package ping answers XEP-0199 for the host and, to its own sessions, for an account.
// It has no goroutine and no lock.
package ping
