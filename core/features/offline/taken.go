package offline

import (
	"github.com/dragoman-im/dragoman/core/router"
)

// A stored message is deleted when the socket of the session that it was given to has taken it, not before: a client
// that logs in and loses its connection gets it again. With XEP-0198 the acknowledgement by the client takes the
// place of the socket: the session calls the function of NotifyWritten then.

// give marks a stored message as given to a session. It returns false if a session has it already.
func (e *account) give(id string, to *router.Bound) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.delivered[id] != nil {
		return false
	}
	if e.delivered == nil {
		e.delivered = map[string]*router.Bound{}
	}
	e.delivered[id] = to
	return true
}

// returned reports whether a message is one that is stored: it was given to a session that could not take it.
func (e *account) returned(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	had, stored := e.delivered[id]
	if stored && had != nil && had.Account().Session(had.JID()) != had { // that session has ended; else it is another one, which has the message now
		e.delivered[id] = nil
	}
	return stored
}

// keep marks messages as not taken by a session: they are delivered again.
func (e *account) keep(list []Message, by *router.Bound) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range list {
		if e.delivered[m.ID] == by {
			e.delivered[m.ID] = nil
		}
	}
}

// taken returns those of a list that a session has not returned.
func (e *account) taken(list []Message, by *router.Bound) (ids []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range list {
		if e.delivered[m.ID] == by {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// remove forgets messages that are deleted.
func (e *account) remove(list []Message, ids []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, id := range ids {
		delete(e.delivered, id)
	}
	if len(e.delivered) == 0 {
		e.delivered = nil
	}
	deleted := map[string]bool{}
	for _, id := range ids {
		deleted[id] = true
	}
	for _, m := range list {
		if deleted[m.ID] {
			e.release(m.Stanza.From.Bare(), sizeOf(m.Stanza))
		}
	}
}

// deleteTaken deletes a list of messages as soon as the socket of their session has taken them.
func (o *Offline) deleteTaken(a *router.Account, e *account, to *router.Bound, list []Message) {
	if len(list) == 0 {
		return
	}
	notifier, ok := to.Session().(router.WriteNotifier)
	if !ok {
		o.delete(a, e, to, list)
		return
	}
	notifier.NotifyWritten(func(written bool) { // in the goroutine that has written to the socket: it must not block
		if written {
			o.delete(a, e, to, list)
			return
		}
		e.keep(list, to)
		o.noteFailed(a) // for another session
	})
}

// delete deletes those of a list of messages that a session has taken.
func (o *Offline) delete(a *router.Account, e *account, to *router.Bound, list []Message) {
	ids := e.taken(list, to)
	if len(ids) == 0 {
		return
	}
	o.store.DeleteOffline(a.JID(), ids, func(err error) {
		if err != nil { // they stay in e.delivered, so that this process does not deliver them again
			o.log.Error("delivered messages not deleted: they are delivered again after a restart", "account", a.JID(), "err", err)
			return
		}
		e.remove(list, ids)
	})
}
