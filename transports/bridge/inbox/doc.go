// Package inbox takes events of the network: it stores each once, acknowledges it, and turns it into
// stanzas in the order of its conversation.
//
// Inbox stores events, many in one transaction, and recognises those that came before or that
// several logins bring (dedup.go). A Sink is what one client gives its events to: an event is stored
// before the client may acknowledge it to the network. Typing and presence are not stored; they are
// shown at once or dropped (Ephemeral).
//
// Backfill reads what may have been missed: after each gap it holds the rooms of a login, and reads the
// history of each from the last known message; live events wait meanwhile, so that messages come in order.
//
// A Processor belongs to one conversation and runs in its goroutine. It takes new events, finds out what
// they mean (process.go and a file for each kind), and commits the outcome of a batch in one
// transaction before anything of it is sent. An event that panics or cannot be stored is put aside
// with its error and can be replayed; it never holds up another one. Look-ups of people that the
// network has to be asked for are made before the batch, in a goroutine of their own.
//
// Goroutines: of the gateway's Group: the writer of events while there are any, and one for each
// login whose history is read. Locks: Backfill.mu; writer.mu → dedup.mu. None is held across I/O.
//
// Specifications: XEP-0085, 0203, 0280, 0308, 0333, 0359, 0424, 0425, 0444, 0461.
package inbox
