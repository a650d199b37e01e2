// Package rooms shows channels of the network as rooms of core/room.
//
// A channel is one room, whose row lists the logins that see it. Index finds the row of a channel or
// direct chat. Rooms has what all rooms of a gateway share, and reads the directory of a login
// (Sync). Room is the room of one conversation: its engine, which core/room's Service opens for
// the first who enters and drops with the last who leaves, its members, its archive, and the
// rules of the network for those in it.
//
// Calls to the network that somebody who enters needs (joining the channel, the list of members, their own
// profile) are made in a goroutine of their own, while the stanzas of that session wait and
// those of all others go on.
//
// Goroutines: a Room belongs to that of its conversation. Locks: Index.mu, Rooms.mu, nicks.mu and
// confirmations.mu are leaves and not held across I/O.
//
// Specifications: XEP-0030, 0045, 0054, 0313, 0359, 0421.
package rooms
