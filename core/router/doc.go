// Package router decides who gets a stanza.
//
// Route looks the receiver's domain up in a table that is read without a lock and
// hands the stanza to that domain's Destination: a Host (a served domain), an
// Endpoint (a gateway inside this process), a component's link, or, for every
// domain not in the table, the remote Destination. A Host resolves the receiver's
// Account (resolve.go) and applies the delivery rules of RFC 6121 §8, which are one
// table in rules.go; the stages of features see the stanza before and after that.
//
// A Feature is what an extension declares: stages, IQ handlers, service discovery,
// slots for what it keeps about an account (slot.go), flags of sessions (facts.go).
// An Account is the unit of ownership: sessions and slots belong to it and are
// dropped with it. One process has all accounts; where several share them, an
// account is on one of them at a time, and Port, Location and Facts are what has to
// cross between them. What XEP-0198 will report to a Port is not there yet.
//
// No goroutine belongs to this package except that of Endpoint.Run. Everything else
// runs in the goroutine of the caller, which is nearly always the reader of the
// sender's stream. Route never waits for a receiver. It waits for the database where
// the stanza is the first for an account, and where an IQ handler or a stage does, so
// it must not be called with a lock held, nor a request be routed from a callback of
// the store's writer.
//
// A stream's reader carries a Batch: what it delivers is only appended to the
// receivers' queues, and Batch.Flush sends each queue once when the bytes that were
// read are used up. Without a Batch every delivery is flushed at once.
//
// Endpoint.SendAll reports when what it sent is safe (safe.go).
//
// Lock order: shard.mu → Account.mu; cell.mu, Endpoint.mu, Bound.mu and safeWait.mu are
// taken alone. None is held across a call to another's Deliver, Flush or Close, or
// across I/O.
//
// Specifications: RFC 6120 §8 and §10, RFC 6121 §4.5 and §8.
package router
