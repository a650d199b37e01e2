// Package room implements one room (XEP-0045), both for gateways and for the rooms of the server
// itself. It uses neither a store nor a network: that is the part of its [Owner]. Package
// rooms manages many rooms.
//
// A [Room] has two kinds of occupants. XMPP sessions enter and leave by presence. Puppets
// are remote people without a session: the Owner sets and removes them (SetPuppet, RemovePuppet).
// Both are keyed by a stable occupant id (XEP-0421); a session whose [Grant] names the id of a
// puppet joins that occupant and shares its nick.
//
// The path of a groupchat message: Room.Handle (room.go) → groupchat checks who speaks and cleans the message (message.go) →
// Owner.Message makes it durable → Room.Broadcast, at once or later, makes one stanza of it, adds it to the history (broadcast.go), and
// sends it to all occupants and back to its sender with occupants.List.SendMany. This reflection is the acknowledgement for
// the sender. If the Owner refuses a message, the sender gets an error.
//
// The path of presence: handlePresence (handle_presence.go) → enter (enter.go), changeNick (nick.go), changePresence or endSession
// (leave.go) decide what happens → occupants.List changes who is in the room and sends the presence to those who may see it.
//
// The path of an IQ request: handleIQ (iq.go) → disco.go, admin.go, configure.go, register.go, moderate.go, or Owner.Query, or
// another occupant's session (relayed_iq.go).
//
// The lasting state of a room (name, rules, subject, affiliation lists) is changed by sessions, after
// Owner.Allow, and by the methods SetInfo, SetConfig, SetSubject, SetAffiliation and Destroy.
// Options.Save makes a [Change] durable before it takes effect and before it is announced.
// If Save fails, the request is refused and nothing has changed.
//
// [Room.State] returns the complete state of a room with its occupants; [Room.Restore] continues
// the room from it in another process.
//
// A Room is owned by one goroutine at a time and has no locks: every method, and every
// Owner method, runs in that goroutine. Owner methods may call the methods of the Room.
// Options.Send must not block and must not call the Room. The package starts no goroutine.
//
// Imports run downward: muc (names on the wire) and rules (configuration and rights, without occupants) ← affiliations (the
// lists), hats, history (messages in memory), visits (what is remembered of people) and conceal (real addresses) ← occupants (who is
// in the room, and their presence) ← room, which decides.
//
// rules.Limits bound the memory of a room.
//
// Specifications: XEP-0045, XEP-0153, XEP-0203, XEP-0317, XEP-0359, XEP-0410, XEP-0421,
// XEP-0424, XEP-0425, XEP-0463, XEP-0486, XEP-0500.
package room
