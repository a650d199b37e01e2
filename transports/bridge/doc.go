// Package bridge is everything that all gateways share: it stands between an Endpoint,
// which sends and receives stanzas for one domain, and the sessions of one network.
// The two ways through it are told in package transports. The files in_*.go and out_*.go
// hold what each kind of event and stanza means; catchup.go reads what was missed, journal.go
// and handed.go follow what was handed over, linking is in login.go, register.go, commands.go
// and chat.go, its end in unlink.go.
//
// A room (a channel, or the conversation of one account with one person) has one worker,
// a goroutine that exists while the room has work and alone touches its state, both
// directions. It runs its network calls in a goroutine of their own, one at a time, so
// that inbound events pass a call that waits. Each account has one goroutine that opens
// its session and keeps it open, and at times one that reads the past of its rooms: a room
// is held until that is done, so that its messages come in order. The gateway's Run waits
// for all of them.
//
// An event is durable (inbox.go) before the network is acknowledged, a stanza (outbox.go)
// before its sender is. What a step of a worker changes is one tables.Batch, committed in one
// transaction before anything of it is seen outside. What it wants sent is kept in the inbox
// row until the Endpoint says that it is safe: taken by a socket, or written by the server.
// That is noted in a plain file (journal.go). A process killed at any moment thus loses
// nothing. What it was killed over between the socket and the note comes again under the
// same id, unless the server kept it (Options.Kept); so does what a power failure took from
// the file. While the server is away (ServerAway) events wait in the inbox.
//
// Lock order: account.mu → Gateway.mu → worker.mu, dialogues.mu → Gateway.mu and combiner.mu →
// durable.mu; all other locks are leaves. None is held across I/O or a call of a session, save handed.mu (a journal
// entry), handed.flushing and account.sealing (a secret), which nothing else waits for.
//
// Specifications: XEP-0045, 0050, 0054, 0077, 0085, 0092, 0100, 0114, 0172, 0184, 0232, 0245,
// 0280, 0308, 0313, 0333, 0356, 0359, 0424, 0425, 0428, 0444, 0461.
package bridge
