// Package ldap checks passwords against an LDAP directory: it searches for the entry of a user name and binds as that entry with
// the password.
//
// A Directory has a number of slots, each with a connection that searches and one that binds, which are made when they are first
// needed. A question takes a slot, and has an end at which the deadline of both sockets fails it, whatever the directory does.
// A connection that the directory has closed in the meantime is replaced once.
//
// Each connection has the goroutines of the LDAP library; Close ends them. The slots are a channel; there is no lock.
//
// Specifications: RFC 4511, RFC 4513, RFC 4515, RFC 4530.
package ldap
