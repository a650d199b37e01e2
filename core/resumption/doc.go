// Package resumption has what sessions that can be resumed need beside their stream (XEP-0198 §5): their ids, the count of
// stanzas that a client may be told are handled, and what is stored about them, so that they survive a restart.
//
// A stanza is handled when what the server stores of it is committed. Handled counts them: each stanza of the client
// has a Token, which a router.Batch gives to those who write. The count is committed before the client is told: after a
// crash it must not be lower than what the client was told, since the client has dropped those stanzas.
//
// What a client was sent and has not acknowledged is in the memory of its session (unacked.List). Of it only what is
// nowhere else is stored (Alone): other messages are in the archive of the account, from where Replay takes them after a crash.
// When the server stops, all of it is stored, with its numbers.
//
// The package starts no goroutine. The lock of Handled is a leaf.
//
// Specifications: XEP-0198.
package resumption
