// Package bookmarks puts the rooms that logins are in among the bookmarks of their owners, and takes them out when a login has left:
// where the owner's server lets the gateway read and change the owner's nodes (XEP-0356 §6). Elsewhere an owner is invited to a room
// that a login has come to (XEP-0249).
//
// What the owner has changed stays: a bookmark that was there before is not touched, one that was removed is not made again while the
// login stays in the room, and of one that has another name only the rest is the gateway's.
//
// The rooms of a login are compared with its bookmarks in a goroutine of the gateway's Group, one at a time for each login. Lock: mu, a
// leaf, not held across I/O.
//
// Specifications: XEP-0249, XEP-0356, XEP-0402.
package bookmarks
