package offline

import (
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// A stored message is deleted when the socket of the session that it was given to has taken it, not before: a client
// that logs in and loses its connection gets it again. With XEP-0198 the acknowledgement by the client takes the
// place of the socket: see router.ReceiptNotifier.

// give marks a stored message as given to a session. It returns false if a session has it already.
func (e *account) give(id string, to *router.Bound) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if m := e.delivered[id]; m.to != nil || m.deleting {
		return false
	}
	if e.delivered == nil {
		e.delivered = map[string]mark{}
	}
	e.delivered[id] = mark{to: to}
	return true
}

// returned is called with a message that a session could not take. It returns nil if the message is still stored,
// otherwise what to store: under another id where the deletion of the message has begun, which would delete it.
func (e *account) returned(st *stanza.Stanza) *stanza.Stanza {
	e.mu.Lock()
	defer e.mu.Unlock()
	m, stored := e.delivered[st.Entry]
	switch {
	case !stored:
		return st
	case m.deleting:
		st = st.Copy()
		st.Entry = ""
		st.GiveEntry()
		return st
	case m.to != nil && m.to.Account().Session(m.to.JID()) != m.to: // that session has ended; else it is another one, which has the message now
		e.delivered[st.Entry] = mark{}
	}
	return nil
}

// keep marks messages as not taken by a session: they are delivered again.
func (e *account) keep(list []Message, by *router.Bound) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range list {
		if e.delivered[m.ID] == (mark{to: by}) {
			e.delivered[m.ID] = mark{}
		}
	}
}

// taken returns those of a list that a session has not returned, and marks them: their deletion begins.
func (e *account) taken(list []Message, by *router.Bound) (taken []Message) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range list {
		if e.delivered[m.ID] == (mark{to: by}) {
			e.delivered[m.ID] = mark{to: by, deleting: true}
			taken = append(taken, m)
		}
	}
	return taken
}

// remove forgets messages that are deleted. While a delivery runs it keeps the marks until the next read begins: the
// read under way may have begun before the deletion was committed, and would deliver them once more.
func (e *account) remove(list []Message) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range list {
		e.deleted = append(e.deleted, m.ID)
		if m.Stanza == nil {
			e.release(m.Sender, m.Size)
		} else {
			e.release(m.Stanza.From.Bare(), sizeOf(m.Stanza))
		}
	}
	if e.state == idle {
		e.forgetDeleted()
	}
}

// beforeRead is called before the stored messages are read.
func (e *account) beforeRead() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.forgetDeleted()
}

// forgetDeleted removes the marks of deleted messages. The caller holds mu, and no read is under way.
func (e *account) forgetDeleted() {
	for _, id := range e.deleted {
		delete(e.delivered, id)
	}
	e.deleted = nil
	if len(e.delivered) == 0 {
		e.delivered = nil
	}
}

// deleteTaken deletes a list of messages as soon as the socket of their session has taken them.
func (o *Offline) deleteTaken(a *router.Account, e *account, to *router.Bound, list []Message) {
	if len(list) == 0 {
		return
	}
	notify := notifier(to.Session())
	if notify == nil {
		o.delete(a, e, to, list)
		return
	}
	notify(func(taken bool) { // in the goroutine that has written to the socket, or read the acknowledgement: it must not block
		if taken {
			o.delete(a, e, to, list)
			return
		}
		e.keep(list, to)
		o.noteFailed(a) // for another session
	})
}

// notifier returns the function by which a session says that it has taken what was delivered, nil if it has none.
func notifier(s router.Session) func(func(bool)) {
	switch s := s.(type) {
	case router.ReceiptNotifier:
		return s.NotifyReceived
	case router.WriteNotifier:
		return s.NotifyWritten
	}
	return nil
}

// delete deletes those of a list of messages that a session has taken.
func (o *Offline) delete(a *router.Account, e *account, to *router.Bound, list []Message) {
	o.deleteAll(deletion{of: a, state: e, list: e.taken(list, to)})
}

// deletion is messages that are to be deleted.
type deletion struct {
	of    *router.Account
	state *account
	list  []Message
	again bool // it has failed before
}

// deleteAll deletes messages; Retry repeats it after an error. Until then they stay in account.delivered, so that they are
// not delivered again.
func (o *Offline) deleteAll(d deletion) {
	if len(d.list) == 0 {
		return
	}
	ids := make([]string, len(d.list))
	for i, m := range d.list {
		ids[i] = m.ID
	}
	o.store.DeleteOffline(d.of.JID(), ids, func(err error) {
		if err == nil {
			d.state.remove(d.list)
			return
		}
		if !d.again {
			o.log.Error("delivered messages not deleted: this is tried again", "account", d.of.JID(), "err", err)
		}
		d.again = true
		o.mu.Lock()
		defer o.mu.Unlock()
		o.undeleted = append(o.undeleted, d)
	})
}
