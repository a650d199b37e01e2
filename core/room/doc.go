// Package room is Multi-User Chat (XEP-0045): the engine of one room, and a service of many. It
// serves the rooms of a gateway and those of the served host alike and knows no network.
//
// # One room
//
// A [Room] has two kinds of occupants. XMPP sessions enter and leave by presence. Network
// members have no session: the [Owner] of the room sets and removes them (SetMember,
// RemoveMember). Both are keyed by a stable occupant id (XEP-0421); a session whose [Grant]
// names the id of a network member joins that member and shares its nick.
//
// A groupchat message: Handle checks and cleans it → Owner.Message makes it durable →
// Room.Broadcast, at once or later, reflects it to everybody and to its sender, who may take
// the reflection as the acknowledgement. A message that the Owner refuses goes back to its
// sender as an error.
//
// What lasts of a room (name, rules, subject, affiliation lists) is changed by sessions, after
// Owner.Allow, and by the methods SetInfo, SetConfig, SetSubject, SetAffiliation and Destroy.
// A [Change] is made durable by Options.Save before it takes effect and before it is announced;
// where Save fails, the request is refused and nothing has changed.
//
// [Room.State] is all of a room, with its occupants, as data; another node goes on with it
// by [Room.Restore].
//
// # A service of many rooms
//
// A [Service] holds the rooms of one domain. The rooms of a gateway and those of the served
// host are two [Policy] implementations.
//
//   - NewService(ctx, ServiceOptions), Handle(stanza), Stop(ctx).
//   - Policy: Open (what a room is loaded with), Create (may this room be created), Sees (may
//     this bare JID know of the room), List (a page of the rooms that it is shown).
//   - [Store]: LoadRoom, SaveRoom. Without one, Policy.Open has the state, as in a gateway.
//   - Call(ctx, room, f) runs f in the goroutine of a room; Info and Items answer disco for the
//     service; Release and Adopt move a room between nodes; Stats counts.
//   - A gateway whose conversations have mailboxes of their own gives them as [Mailboxes] and keeps
//     a [Hosted] (Service.Hosted) in each conversation: Handle for stanzas, Do for all else,
//     Loaded for what matters only while the room is in memory, Flush, Disposable, Close.
//   - [Sender] is where stanzas go; NewSender collects what a batch of jobs sends, so that each
//     receiver's socket is written to once.
//
// A room is loaded by the first stanza for it and dropped when it is idle and nobody is in it.
// A room that is not persistent is removed from the store when the last session has left. A
// room that somebody may not see is answered exactly as one that does not exist: presence,
// messages, IQs (disco and the archive are among them) and the list of rooms.
//
// # Goroutines
//
// A Room is owned by one goroutine at a time and has no locks: every method, and every
// Owner method, runs in that goroutine. Owner methods may call the methods of the Room.
// Options.Send must not block and must not call the Room. A Service runs each room on its
// mailbox (package mailbox), which owns the goroutines; its own methods may be called by any
// goroutine.
//
// Everything that grows is bounded by Limits.
//
// Specifications: XEP-0030, XEP-0045, XEP-0059, XEP-0153, XEP-0203, XEP-0317, XEP-0359, XEP-0410,
// XEP-0421, XEP-0424, XEP-0425, XEP-0486.
package room
