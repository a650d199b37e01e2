// Package router decides which session, component or gateway receives a stanza.
//
// Route looks the receiver's domain up in a table that is read without a lock and
// passes the stanza to that domain's Destination: a Host (a served domain), an
// Endpoint (a gateway inside this process), a component's link, or, for every
// domain not in the table, the remote Destination. A Host resolves the receiver's
// Account (resolve.go) and applies the delivery rules of RFC 6121 §8, which are one
// table in rules.go; the stages of features see the stanza before and after that.
//
// A Feature declares what an extension adds: stages, IQ handlers, service discovery,
// slots for data cached per account (slot.go), flags of sessions (facts.go).
// An Account owns its sessions and slots; they are dropped with it. Today one process
// has all accounts. With several nodes each account would be on one node at a time;
// Port, Location and Facts are the interfaces between nodes.
//
// An account is looked up in a goroutine that Router.AwaitLookups waits for; it also delivers the
// stanzas that came meanwhile. The first sender waits for it, but not for a slow database. Endpoint.Run runs in a goroutine of its caller; everything
// else runs in the goroutine of the sender, nearly always the reader of its
// stream. Route never waits for a receiver. It waits for the database
// when an IQ handler or a stage does, and while too many accounts are being looked up. So it
// must not be called with a lock held, and a callback of the store's writer must not
// route a request: the writer would wait for itself.
//
// The reader of a stream has a Batch: a delivery only appends to the receiver's queue,
// and Batch.Flush flushes each queue once after all stanzas of one read. Without a Batch
// every delivery is flushed at once.
//
// Endpoint.SendAll reports when its stanzas are safe, that is committed or written to a
// socket (safe.go).
//
// Lock order: shard.mu → Account.mu; cell.mu, Endpoint.mu, Bound.mu and
// safeWait.mu are never held together with another lock. None is held across a call of
// Deliver, Flush or Close of a Destination, or across I/O.
//
// Specifications: RFC 6120 §8 and §10, RFC 6121 §4.5 and §8.
package router
