// Package outbox sends what local users write (messages, corrections, retractions, reactions, read marks,
// topics) to the network.
//
// A Queue belongs to one conversation and runs in its goroutine. A stanza becomes a call: it is
// read (package convert), checked, and stored with the archive of the room in one transaction;
// only then is it shown to the room, which its sender may take as the acknowledgement. The
// queue makes its calls in order, one at a time, each in a goroutine of its own, so that events
// of the conversation are processed while a call waits. What a call has come to (the network's ids, or the error) is
// stored together with the next call that begins: a message costs two transactions. New topics, and what a moderator of a linked room removes, are
// shown to the room only when the network has carried them out: it may refuse.
//
// Files that a message has are read at their addresses (Files) while the network takes them, and are sent as links where that fails. A call of
// several steps stores each of them (transports.Steps), so that a repeated call goes on from there.
//
// A call that was begun and whose outcome is not known, since the process or the connection has
// ended, is repeated with the same id where the network can tell a repeated message. Calls wait
// while the network cannot be reached; their senders are notified once, and after
// Settings.KeepWaiting they come back as errors.
//
// Goroutines: those of calls and of typing belong to the gateway's Group. No locks.
//
// Specifications: XEP-0085, 0184, 0245, 0308, 0333, 0359, 0424, 0428, 0444, 0461.
package outbox
