// Package router decides who gets a stanza.
//
// Route looks the receiver's domain up in a table that is read without a lock and
// hands the stanza to that domain's Destination: a Host (a served domain), an
// Endpoint (a gateway inside this process), a component's link, or, for every
// domain not in the table, the remote Destination. A Host finds the sessions of an
// account through a Directory and applies the delivery rules of RFC 6121 §8, which
// stand as one table in rules.go; stages see the stanza on its way.
//
// No goroutine belongs to this package except that of Endpoint.Run. Everything else
// runs in the goroutine of the caller, which is nearly always the reader of the
// sender's stream. Route never waits for a receiver. It may wait for a commit where
// an IQ handler or a stage does, so it must not be called with a lock held, nor a
// request be routed from a callback of the store's writer.
//
// A stream's reader carries a Batch: what it delivers is only appended to the
// receivers' queues, and Batch.Flush sends each queue once when the bytes that were
// read are used up. Without a Batch every delivery is flushed at once.
//
// Endpoint.SendAll tells its caller when what it sent is safe from a crash of this process
// (settle.go): taken by a receiver's socket or, where nobody is there, written by the stages.
//
// Locks: Endpoint.mu, memory shard, Bound.mu, settling.mu; none is held across a call to
// another's Deliver, Flush or Close, and none while another is taken.
//
// Specifications: RFC 6120 §8 and §10, RFC 6121 §4.5 and §8.
package router
