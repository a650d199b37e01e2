// Package room is the engine of one room (XEP-0045). It serves the rooms of a gateway and those
// of the served host alike and knows neither a store nor a network: its [Owner] does. Package
// rooms holds many rooms.
//
// A [Room] has two kinds of occupants. XMPP sessions enter and leave by presence. Puppets
// are remote people without a session: the Owner sets and removes them (SetPuppet, RemovePuppet).
// Both are keyed by a stable occupant id (XEP-0421); a session whose [Grant] names the id of a
// puppet joins that occupant and shares its nick.
//
// A groupchat message: Handle checks and cleans it → Owner.Message makes it durable →
// Room.Broadcast, at once or later, sends it to all occupants and back to its sender, for whom
// this reflection is the acknowledgement. A message that the Owner refuses goes back to its
// sender as an error.
//
// The lasting state of a room (name, rules, subject, affiliation lists) is changed by sessions, after
// Owner.Allow, and by the methods SetInfo, SetConfig, SetSubject, SetAffiliation and Destroy.
// A [Change] is made durable by Options.Save before it takes effect and before it is announced;
// where Save fails, the request is refused and nothing has changed.
//
// [Room.State] is all of a room, with its occupants, as data; another node goes on with it
// by [Room.Restore].
//
// A Room is owned by one goroutine at a time and has no locks: every method, and every
// Owner method, runs in that goroutine. Owner methods may call the methods of the Room.
// Options.Send must not block and must not call the Room. No goroutine is started here.
//
// Everything that grows is bounded by Limits.
//
// Specifications: XEP-0045, XEP-0153, XEP-0203, XEP-0317, XEP-0359, XEP-0410, XEP-0421,
// XEP-0424, XEP-0425, XEP-0486.
package room
