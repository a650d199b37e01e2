// Package links joins rooms of other services, here or on another server, to channels of the network: what is said in
// one of the two is said in the other.
//
// A linked room is entered as any client enters one (XEP-0045): once by the gateway itself, which receives what is
// said there, and once for each person of the channel who writes, up to a number. A link is a state machine
// that belongs to the goroutine of its mailbox:
//
//	away → asking (disco#info) → entering → reading (what was missed) → live
//
// From the channel to the linked room (outward.go): the archive of the channel is the queue. A link reads it behind the
// last entry that the linked room has, sends the entries in order, and goes on once the room has reflected them. The id
// of a message in the linked room is made of the id of its entry, so that after a crash the messages that the room has
// already are found in its archive or history.
//
// From the linked room to the channel (inward.go): a message becomes a call of the channel's outbox
// (outbox.Linked), in one transaction with its ids and with how far the linked room was read. After a crash
// or a gap the room is read from there (reading.go); what the channel has already is known by its id.
//
// A message carries the addresses of the rooms that it has passed through (passed.go): it is not taken to a room
// again in which it was. Ids in replies, corrections, reactions and retractions are replaced by those that the message
// has on the other side (translate.go). Topics (topic.go) and chat states (typing.go) are not in the archive: they are carried while a link is
// live; topics also when they have changed before.
//
// Who has written a message of the linked room is known by what the room announces that it guarantees (features.go), and by nothing else.
//
// Goroutines: those of the mailboxes. Links.mu is a leaf.
//
// Specifications: XEP-0045, 0085, 0203, 0308, 0313, 0359, 0410, 0421, 0424, 0425, 0444, 0461.
package links
