package router

import (
	"context"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// Group is some requests of one session that came together and are handled together, in their order: see IQ.Gather.
type Group interface {
	// Takes reports whether a stanza of the same session may join. What may not is handled after the group.
	Takes(*stanza.Stanza) bool
	// Run handles the requests. It runs in the goroutine that reads from the session.
	Run(ctx context.Context)
}

// gathered is the group of a batch.
type gathered struct {
	group Group
	done  []func(error) // of Batch.beginWrite
}

// Group returns the group that a request may join by Gather, nil if there is none.
func (q *IQ) Group() Group {
	if q.batch == nil {
		return nil
	}
	return q.batch.gathered.group
}

// Gather makes g, to which the caller adds the request, the group of the request's batch. The group is run when a stanza comes that cannot
// join, or when all that has arrived is handled. So one commit can be for several requests. Gather returns false, and does nothing, where
// nothing would run the group.
func (q *IQ) Gather(g Group) bool {
	b := q.batch
	if b == nil || b.session == nil || q.Session != b.session {
		return false
	}
	b.gathered.group = g
	b.gathered.done = append(b.gathered.done, b.beginWrite()) // the request is not handled before (XEP-0198 §4)
	return true
}

// RunGroup handles the requests that wait, so that others come after them.
func (q *IQ) RunGroup() { q.batch.runGroup() }

// runGroup handles the requests that were gathered.
func (b *Batch) runGroup() {
	if b == nil || b.gathered.group == nil {
		return
	}
	g := b.gathered
	b.gathered = gathered{}
	defer func() {
		for _, done := range g.done {
			done(nil) // whether they have succeeded their answers say
		}
	}()
	g.group.Run(b.context())
}

// follows runs the group before a stanza that cannot join it (RFC 6120 §10.1: stanzas are handled in order).
func (b *Batch) follows(st *stanza.Stanza) {
	if g := b.gathered.group; g != nil && !g.Takes(st) {
		b.runGroup()
	}
}
