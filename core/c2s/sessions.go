package c2s

import (
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/resumption"
)

// maxEnded is how many ended sessions are remembered, to tell their clients what was handled (XEP-0198 §5).
const maxEnded = 10_000

// resumables are the sessions of a server that can be resumed.
type resumables struct {
	mu        sync.Mutex
	sessions  map[string]*management // by name
	detached  map[jid.JID][]*management
	ended     map[string]endedSession // by name
	order     []string                // of ended
	restoring map[string]chan struct{}
	stale     bool // there may be stored sessions of an earlier run
	checked   time.Time
}

// endedSession is what is left of a session that cannot be resumed any more.
type endedSession struct {
	id      resumption.ID
	account jid.JID
	handled uint32
}

func newResumables() *resumables {
	return &resumables{
		sessions: map[string]*management{}, detached: map[jid.JID][]*management{}, ended: map[string]endedSession{},
		restoring: map[string]chan struct{}{}, stale: true,
	}
}

func (r *resumables) add(_ *session, m *management) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sessions[m.id.Name] = m
}

// find returns the session with an id of an account, and what is known of one that has ended.
func (r *resumables) find(id resumption.ID, account jid.JID) (m *management, handled *uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.sessions[id.Name]; m != nil && m.id.Equal(id) && m.session.jid.Bare() == account {
		return m, nil
	}
	if e, ok := r.ended[id.Name]; ok && e.id.Equal(id) && e.account == account {
		return nil, &e.handled
	}
	return nil, nil
}

// knows reports whether there is, or was, a session of that name.
func (r *resumables) knows(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ended := r.ended[name]
	return ended || r.sessions[name] != nil
}

// leave notes that a session has no connection, and returns one that the account has too many of.
func (r *resumables) leave(m *management, limit int) (tooMany *management) {
	r.mu.Lock()
	defer r.mu.Unlock()
	account := m.session.jid.Bare()
	list := append(r.detached[account], m)
	r.detached[account] = list
	if limit > 0 && len(list) > limit {
		return list[0]
	}
	return nil
}

// attach notes that a session has a connection.
func (r *resumables) attach(m *management) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.removeDetached(m)
}

func (r *resumables) removeDetached(m *management) {
	account := m.session.jid.Bare()
	var rest []*management
	for _, o := range r.detached[account] {
		if o != m {
			rest = append(rest, o)
		}
	}
	if r.detached[account] = rest; rest == nil {
		delete(r.detached, account)
	}
}

// remove forgets a session that has ended; handled is what its client may be told.
func (r *resumables) remove(m *management, handled uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sessions[m.id.Name] != m {
		return
	}
	delete(r.sessions, m.id.Name)
	r.removeDetached(m)
	r.ended[m.id.Name] = endedSession{m.id, m.session.jid.Bare(), handled}
	if r.order = append(r.order, m.id.Name); len(r.order) > maxEnded {
		delete(r.ended, r.order[0])
		r.order = r.order[1:]
	}
}

// oldest returns the session of an account that has been without a connection for the longest time, or nil.
func (r *resumables) oldest(account jid.JID) *management {
	r.mu.Lock()
	defer r.mu.Unlock()
	if list := r.detached[account]; len(list) > 0 {
		return list[0]
	}
	return nil
}

// due returns the sessions without a connection that have to be ended at a time.
func (r *resumables) due(now time.Time) (list []*management) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, of := range r.detached {
		for _, m := range of {
			if m.full.Load() || m.expired(now) {
				list = append(list, m)
			}
		}
	}
	return list
}

// all returns the sessions without a connection.
func (r *resumables) all() (list []*management) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, of := range r.detached {
		list = append(list, of...)
	}
	return list
}

// expired reports whether the time in which the session could be resumed is over.
func (m *management) expired(now time.Time) bool {
	m.resumed.mu.Lock()
	defer m.resumed.mu.Unlock()
	return !m.resumed.detached.IsZero() && now.Sub(m.resumed.detached) >= m.max
}
