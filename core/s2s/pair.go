package s2s

import (
	"sync"

	"github.com/dragoman-im/dragoman/core/jid"
)

// pair is a domain of ours and one of another server.
type pair struct{ ours, theirs string }

// parseDomain returns the normalised form of a domain.
func parseDomain(text string) (string, bool) {
	d, err := jid.Parse(text)
	if err != nil || !d.IsHost() {
		return "", false
	}
	return d.String(), true
}

// rights are the pairs for which a peer may send.
type rights struct {
	last pair // that was asked for
	all  map[pair]struct{}
}

func (r *rights) add(p pair) {
	if r.all == nil {
		r.all = map[pair]struct{}{}
	}
	r.all[p] = struct{}{}
}

// has reports whether the pair was added.
func (r *rights) has(p pair) bool {
	if p == r.last && p.ours != "" {
		return true
	}
	if _, ok := r.all[p]; ok {
		r.last = p
		return true
	}
	return false
}

// outcome is the result of a verification: valid, or the condition of the dialback error (XEP-0220 §2.4.2).
type outcome struct {
	valid     bool
	condition string // "" with valid, and for an invalid key
}

// result is the outcome for a pair of an incoming connection.
type result struct {
	pair    pair
	outcome outcome
}

// results are those that the goroutine of a connection has not handled.
type results struct {
	mu   sync.Mutex
	list []result
}

func (r *results) add(one result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, one)
}

func (r *results) take() []result {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.list
	r.list = nil
	return list
}
