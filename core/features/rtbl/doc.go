// Package rtbl keeps lists of addresses that send spam up to date which other services publish at a node (real-time block lists, as
// ejabberd and Prosody read them): the id of each item is the SHA-256 hash of an address or a domain in hexadecimal digits, or an
// occupant id of a room or its hash, which counts in that room.
//
// The host subscribes to the node first, then reads its items by pages; changes that come meanwhile are in force at once, and are made to what was read too. Both are
// repeated from time to time, when the service has come back, and after an error. Until then the list stays in force as it is; it is in
// the database, so also after a restart. Only notifications of the service itself about the node count.
//
// Run has one goroutine for each list. list.mu guards its state; it is not held while the database or the service is waited for.
//
// Specifications: XEP-0060, XEP-0059.
package rtbl
