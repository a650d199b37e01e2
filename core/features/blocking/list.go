package blocking

import (
	"maps"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
)

// list is what an account has blocked. It is not changed.
type list map[jid.JID]struct{}

// has is XEP-0191 §5: the address itself, any resource of it, or anybody of its domain.
func (l list) has(other jid.JID) bool {
	if len(l) == 0 {
		return false
	}
	if _, ok := l[other]; ok {
		return true
	}
	if _, ok := l[other.Bare()]; ok {
		return true
	}
	_, ok := l[other.Host()]
	return ok
}

// only is those of the addresses that are blocked.
func (l list) only(all []jid.JID) []jid.JID {
	var some []jid.JID
	for _, j := range all {
		if l.has(j) {
			some = append(some, j)
		}
	}
	return some
}

// but is those of the addresses that are not blocked; the same slice where that is all.
func (l list) but(all []jid.JID) []jid.JID {
	if len(l) == 0 || !slices.ContainsFunc(all, l.has) {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), l.has)
}

// with has more addresses, without has fewer; none means all.
func (l list) with(more []jid.JID) list {
	n := maps.Clone(l)
	if n == nil {
		n = list{}
	}
	for _, j := range more {
		n[j] = struct{}{}
	}
	return n
}

func (l list) without(fewer []jid.JID) list {
	if len(fewer) == 0 {
		return list{}
	}
	n := maps.Clone(l)
	for _, j := range fewer {
		delete(n, j)
	}
	return n
}
