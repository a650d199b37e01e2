// Package register lets people change their password, delete their account and, where the
// operator allows it, make one (XEP-0077).
//
// After login it answers IQs of the account's own sessions only: whose account is meant
// is decided by the session, never by the content of the request. Its answers before login serve
// connections that have not logged in. Passwords are handed to the store, which keeps keys of them.
//
// Lock: limiter.mu, for moments.
//
// Specification: XEP-0077.
package register
