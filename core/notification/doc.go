// Package notification decides which accounts are notified of a room's message: those that are members of the room, or have bookmarked it
// with autojoin, as their setting for the room says (XEP-0492).
//
// A room of this process calls Notifier.Room with each message that it sends to its occupants. For each room the Notifier keeps who may have
// to be notified: it is read once, and again when the room says that its members have changed (Message.Version), when an account bookmarks the
// room (Bookmarked), or when one can be notified that could not before (Enabled). Settings and mentions are checked against it without the
// database. Notifier.Wants is for an account that has a session in a room of any server.
//
// Goroutines: Room and Wants run in that of the caller. The accounts are notified in a mailbox of each room, which the Notifier owns.
// Locks: Notifier.mu is a leaf and not held across I/O.
//
// Specifications: XEP-0492, XEP-0513, XEP-0372, XEP-0461.
package notification
