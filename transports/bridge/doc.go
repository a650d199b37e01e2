// Package bridge assembles a gateway, which connects an Endpoint, the stanzas of one domain, to the clients of
// one network. Package transports describes the flow of data in both directions, file by file.
//
// The parts are packages, whose imports run downward in this order: gateway (what all parts share),
// tables, convert, delivery, logins, puppets, conversation, rooms, outbox, links, inbox, commands. This package
// makes them (gateway.go), routes stanzas to them (route.go), makes the parts of each
// conversation (parts.go), and implements the interfaces by which a lower package calls a higher one
// (connect.go).
//
// Guarantees: an event is durable before the network is acknowledged, a stanza before its sender
// is. What one step of a conversation changes is one transaction, committed before anything of it
// is sent. A process that is killed at any moment loses none of that. A message that the server
// had taken, but that was not yet in the delivery log when the process was killed, is sent again under the same id,
// unless the server stored it (Options.Kept). While the server cannot be reached (ServerAway) events wait in the inbox.
//
// Goroutines: those of the gateway's Group and of the conversations' mailboxes; Run waits for all.
//
// Lock order: inbox.Backfill.mu → mailbox.Group → Conversation.mu; inbox.Backfill.mu →
// logins.Login.mu; puppets.Presence.mu → logins.Login.mu; commands.dialogues.mu → gateway.Group; inbox.writer.mu → inbox.dedup.mu. All
// others are leaves. None is held across I/O or a call to a client, except the two of the delivery log and
// that of a login's secret, which nothing else waits for.
package bridge
