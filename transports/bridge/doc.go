// Package bridge is everything that all gateways share: it stands between an Endpoint,
// which sends and receives stanzas for one domain, and the sessions of one network.
// The two ways through it are told in package transports; the files in_*.go and
// out_*.go hold what each kind of event and stanza means.
//
// A room (a channel, or the conversation of one account with one person) has one worker,
// a goroutine that exists while the room has work and alone touches its state, both
// directions. It runs its network calls in a goroutine of their own, one at a time, so
// that inbound events pass a call that waits. Each account has one goroutine that opens
// its session and keeps it open. The gateway's Run waits for all of them.
//
// What a step of a worker changes is one Batch, committed in one transaction before
// anything of it is seen outside. What it wants sent is kept in the inbox row until it
// was handed to the Endpoint; the journal of those is a plain file (journal.go), so that
// a process killed at any moment neither loses nor repeats a message.
//
// Lock order: account.mu → Gateway.mu → worker.mu; combiner.mu, handed.mu and
// people.mu are leaves. None is held across I/O or a call of a session, save handed.mu
// (a journal entry) and account.sealing (a secret), which nothing else waits for.
//
// Specifications: XEP-0045, 0050, 0054, 0077, 0085, 0100, 0114, 0172, 0184, 0245, 0280,
// 0308, 0313, 0333, 0356, 0359, 0424, 0425, 0428, 0444, 0461.
package bridge
