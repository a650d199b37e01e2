// Package disco implements service discovery (XEP-0030) for hosts, accounts, gateways and rooms, with
// extension forms (XEP-0128), paging (XEP-0059) and this server's entity capabilities (XEP-0115).
// A Registry holds fixed information about addresses and calls its Sources for the rest. It is safe for
// concurrent use; its only lock is not held while a Source is called. There is no goroutine.
//
// Specifications: XEP-0030, XEP-0059, XEP-0115, XEP-0128.
package disco
