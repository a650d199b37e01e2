// Package conference is the conference service of a host, at a domain of its own: rooms that the accounts of the host create and that
// the server keeps (XEP-0045). Package rooms manages them, package room is one of them; this package decides who may create rooms,
// how new ones are configured and how large everything may become, and it has what administrators do with rooms.
//
// A change of a room is committed before it is announced. Rooms that nobody is in leave memory after a time and are read again on
// demand; temporary ones are deleted when everybody has left, or, after a crash, at the next start.
//
// Service implements the Service of the server's attachments: Run owns the rooms, whose goroutines are those of their mailboxes. The
// methods that decide about a room run in the goroutine of that room. Lock: crowds.mu is a leaf.
//
// Specifications: XEP-0045, XEP-0433.
package conference
