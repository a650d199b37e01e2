package outbox

import (
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// How long a message is kept after it was written to a connection without stream management.
const (
	settleWait = 10 * time.Second
	maxSettle  = 1000 // messages of one pair; with more the oldest is removed
)

// written is a message that was written.
type written struct {
	st *stanza.Stanza
	at time.Time
}

// Acknowledged returns a function for stanzas that another server has acknowledged; nil if nothing is kept.
func (o *Outbox) Acknowledged() func([]*stanza.Stanza) {
	if o.store == nil {
		return nil
	}
	return func(list []*stanza.Stanza) { o.Release(list...) }
}

// OnWritten returns a function for the moment at which a stanza is written to a connection without stream management; nil if it is not kept.
func (o *Outbox) OnWritten(st *stanza.Stanza) func(error) {
	if o == nil || st.Kind != stanza.Message || !o.Has(st) {
		return nil
	}
	return func(err error) {
		if err == nil {
			o.noteWritten(st)
		}
	}
}

func (o *Outbox) noteWritten(st *stanza.Stanza) {
	o.mu.Lock()
	defer o.mu.Unlock()
	k, ok := o.all[st]
	if !ok {
		return
	}
	k.of.written = append(k.of.written, written{st, time.Now()})
	if len(k.of.written) > maxSettle {
		oldest := k.of.written[0].st
		k.of.written[0] = written{}
		k.of.written = k.of.written[1:]
		o.drop(oldest)
	}
}

// Settle removes the messages from one domain to another that were written: their stream has ended properly.
func (o *Outbox) Settle(ours, theirs string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if of := o.pairs[pair{ours, theirs}]; of != nil {
		o.dropWritten(of, len(of.written))
	}
}

// Sweep removes the messages that were written long enough before now.
func (o *Outbox) Sweep(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, of := range o.pairs {
		n := 0
		for n < len(of.written) && now.Sub(of.written[n].at) >= settleWait {
			n++
		}
		o.dropWritten(of, n)
	}
}

// dropWritten removes the first n that were written. The lock is held.
func (o *Outbox) dropWritten(of *messages, n int) {
	list := of.written[:n]
	of.written = of.written[n:]
	for _, w := range list {
		o.drop(w.st)
	}
}
