// Package conversation holds the state of each room and direct chat of a gateway, and the mailbox that
// runs its work in order.
//
// A Conversation is in memory while it has work, somebody in it or rows that wait. Its row and its
// Parts (the room, the inbox and the outbox of this one conversation) belong to the goroutine of its
// mailbox. Counters and holds may be changed by any goroutine, by the methods of Set.
//
// A round of the mailbox: the jobs, then Parts.Work with what there is to look at. Events of the
// inbox are left alone while a backfill holds them, and while the server cannot be reached.
//
// Locks: mailbox.Group → Conversation.mu. Neither is held across I/O.
package conversation
