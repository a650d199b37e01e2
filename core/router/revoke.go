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
	count  uint64 // of revocations, at the last one without a mark
	marked uint64 // at the last one with a mark
	mark   int64
	at     time.Time
}

// Login is when a login began.
type Login struct {
	Since      uint64 // BindOptions.Since
	Revocation int64  // BindOptions.Revocation
}

// add notes that logins of the account which began before a count are not valid any more, except those that have seen the mark, if there
// is one.
func (r *revocations) add(account jid.JID, count uint64, mark int64) {
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
	v := r.last[account]
	if v.at = now; mark == 0 {
		v.count = count
	} else {
		v.marked, v.mark = count, mark
	}
	r.last[account] = v
}

// since reports whether a login of the account was revoked after it began.
func (r *revocations) since(account jid.JID, l Login) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.last[account]
	return v.count > l.Since || v.marked > l.Since && v.mark != l.Revocation
}

// EndClient ends the sessions of one client of an account with a stream error, and refuses to bind those that are logging in at the
// moment. Call it after the client's access is withdrawn. It returns the number of sessions.
func (h *Host) EndClient(account jid.JID, client, condition, text string) int {
	account = account.Bare()
	if key, err := account.WithResource(client); err == nil {
		h.revocations.add(key, h.revocations.count.Add(1), 0) // before the sessions are listed: see Host.bind
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
	h.revocations.add(account, h.revocations.count.Add(1), 0) // before the sessions are listed: see Host.bind
	return h.endUnless(account, func(b *Bound) bool { return b == except }, condition, text)
}

// EndRevoked is EndSessions for a change that was committed some time ago, by another process. Sessions whose login has read its mark
// with what it was checked against began after the change, and stay.
func (h *Host) EndRevoked(account jid.JID, mark int64, condition, text string) int {
	account = account.Bare()
	h.revocations.add(account, h.revocations.count.Add(1), mark) // before the sessions are listed: see Host.bind
	return h.endUnless(account, func(b *Bound) bool { return b.seen == mark }, condition, text)
}

// endUnless ends the sessions of an account, except those to keep.
func (h *Host) endUnless(account jid.JID, keep func(*Bound) bool, condition, text string) int {
	n := 0
	for _, b := range h.directory.find(account).Sessions() {
		if !keep(b) {
			b.Close(condition, text)
			n++
		}
	}
	return n
}

// revoked reports whether what a session has logged in with is no longer valid.
func (h *Host) revoked(b *Bound, since *uint64) bool {
	return since != nil && h.Revoked(b.jid.Bare(), b.client, Login{*since, b.seen})
}

// Revoked reports whether a login to an account, with a client, which may be "", is no longer valid: see EndSessions, EndRevoked and
// EndClient.
func (h *Host) Revoked(account jid.JID, client string, l Login) bool {
	if l.Since == h.revocations.count.Load() {
		return false
	}
	if h.revocations.since(account, l) {
		return true
	}
	key, err := account.WithResource(client)
	return client != "" && err == nil && h.revocations.since(key, l)
}
