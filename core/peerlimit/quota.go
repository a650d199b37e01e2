package peerlimit

import (
	"net/netip"
	"sync"
	"time"
)

const quotaBits = 13

// QuotaLimits are the limits of a Quota; numbers that are zero or less mean no limit.
type QuotaLimits struct {
	Accounts int           // registered from one network in that time
	Names    int           // tried from one network in that time that were taken: more would reveal which accounts exist
	Time     time.Duration // an hour where zero
}

// Quota counts registered accounts, and names that were taken, by network. Networks that share an entry of the table share a
// quota; an attacker cannot choose them.
type Quota struct {
	start time.Time
	index func(of netip.Prefix, name string) uint64 // in the tables

	mu              sync.Mutex
	limits          QuotaLimits
	accounts, names [1 << quotaBits]bucket
}

// NewQuota returns a Quota.
func NewQuota(l QuotaLimits) *Quota {
	q := &Quota{start: time.Now(), index: newIndex(quotaBits)}
	q.SetLimits(l)
	return q
}

// SetLimits replaces the limits.
func (q *Quota) SetLimits(l QuotaLimits) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.limits = l; l.Time <= 0 {
		q.limits.Time = time.Hour
	}
}

// TakeAccount counts an account that is about to be registered from an address; false if the limit is reached. ReturnAccount undoes it.
func (q *Quota) TakeAccount(from netip.Addr) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.add(from, &q.accounts, q.limits.Accounts)
}

// ReturnAccount undoes TakeAccount for an account that was not registered.
func (q *Quota) ReturnAccount(from netip.Addr) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.limits.Accounts > 0 {
		q.undo(from, &q.accounts, levels)
	}
}

// NameTaken counts an attempt to register a name that somebody has already; false if the limit is reached.
func (q *Quota) NameTaken(from netip.Addr) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.add(from, &q.names, q.limits.Names)
}

func (q *Quota) add(from netip.Addr, table *[1 << quotaBits]bucket, n int) bool {
	if n <= 0 {
		return true
	}
	now := time.Since(q.start)
	for level, network := range networks(from) {
		if level > 0 && !network.IsValid() {
			break
		}
		if table[q.index(network, "")].add(now, limit{scaled(n, level), q.limits.Time}) > 0 {
			q.undo(from, table, level+1)
			return false
		}
	}
	return true
}

// undo takes one event back from an address's networks on the levels below first.
func (q *Quota) undo(from netip.Addr, table *[1 << quotaBits]bucket, first int) {
	for level, network := range networks(from) {
		if level < first && (level == 0 || network.IsValid()) {
			table[q.index(network, "")].undo()
		}
	}
}
