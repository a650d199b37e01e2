package router

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

// revokedFor is how long it is remembered that an account's sessions were ended: longer than any login takes.
const revokedFor = time.Hour

// revocations count accounts that were removed or whose sessions were ended, and remember the latter.
type revocations struct {
	count atomic.Uint64

	mu   sync.Mutex
	last map[jid.JID]revocation
}

type revocation struct {
	count uint64 // of revocations
	at    time.Time
}

// add notes that logins of the account which began before a count are not valid any more.
func (r *revocations) add(account jid.JID, count uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for other, v := range r.last {
		if now.Sub(v.at) > revokedFor {
			delete(r.last, other)
		}
	}
	if r.last == nil {
		r.last = map[jid.JID]revocation{}
	}
	r.last[account] = revocation{count, now}
}

// since reports whether logins of the account were revoked after the count was read.
func (r *revocations) since(account jid.JID, count uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last[account].count > count
}

// EndClient ends the sessions of one client of an account with a stream error, and refuses to bind those that are logging in at the
// moment. Call it after the client's access is withdrawn. It returns the number of sessions.
func (h *Host) EndClient(account jid.JID, client, condition, text string) int {
	account = account.Bare()
	if key, err := account.WithResource(client); err == nil {
		h.revocations.add(key, h.revocations.count.Add(1)) // before the sessions are listed: see Host.bind
	}
	n := 0
	for _, b := range h.directory.find(account).Sessions() {
		if b.client == client {
			b.Close(condition, text)
			n++
		}
	}
	return n
}

// EndSessions ends all sessions of an account but one, which may be nil, with a stream error, and refuses to bind those that are
// logging in at the moment. Call it after a change of what accounts log in with is committed. It returns the number of sessions.
func (h *Host) EndSessions(account jid.JID, except *Bound, condition, text string) int {
	account = account.Bare()
	h.revocations.add(account, h.revocations.count.Add(1)) // before the sessions are listed: see Host.bind
	n := 0
	for _, b := range h.directory.find(account).Sessions() {
		if b != except {
			b.Close(condition, text)
			n++
		}
	}
	return n
}

// revoked reports whether what a session has logged in with is no longer valid.
func (h *Host) revoked(b *Bound, since *uint64) bool {
	return since != nil && h.Revoked(b.jid.Bare(), b.client, *since)
}

// Revoked reports whether logins of an account, or of one client of it, which may be "", that began at a value of Removals are no longer
// valid: see EndSessions and EndClient.
func (h *Host) Revoked(account jid.JID, client string, since uint64) bool {
	if since == h.revocations.count.Load() {
		return false
	}
	if h.revocations.since(account, since) {
		return true
	}
	key, err := account.WithResource(client)
	return client != "" && err == nil && h.revocations.since(key, since)
}
