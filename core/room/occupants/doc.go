// Package occupants has who is in a room: sessions, puppets, and the nicks of both; and it sends their presence to one another, as far
// as the configuration of the room lets everybody see it. What they may do is decided by package room.
//
// A [List] belongs to the goroutine of its room. It has no locks and starts no goroutine.
//
// Specifications: XEP-0045 §7.2, §7.6, §7.14, §17.3; XEP-0317; XEP-0421.
package occupants
