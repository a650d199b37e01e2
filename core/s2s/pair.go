package s2s

import (
	"github.com/dragoman-im/dragoman/core/s2s/dialback"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// pair is a domain of ours and one of another server.
type pair struct{ ours, theirs string }

// pairOf returns the pair of a stanza that is sent to another server.
func pairOf(st *stanza.Stanza) pair { return pair{ours: st.From.Domain(), theirs: st.To.Domain()} }

// keys makes the dialback keys of pairs.
type keys struct{ dialback.Keys }

// of returns the key of a pair for a stream.
func (k keys) of(p pair, id string) string { return k.Of(p.ours, p.theirs, id) }

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
