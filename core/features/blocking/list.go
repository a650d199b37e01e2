package blocking

import (
	"maps"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
)

// list is the set of blocked addresses. It is immutable.
type list map[jid.JID]struct{}

// nobody is the list of all accounts that block nobody, so that it is in the processor's cache when many of them get something.
var nobody = list{}

// has reports whether an address is blocked: by itself, by its bare JID, or by its domain (XEP-0191 §5).
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

// matching returns the addresses that are blocked.
func (l list) matching(all []jid.JID) []jid.JID {
	var some []jid.JID
	for _, j := range all {
		if l.has(j) {
			some = append(some, j)
		}
	}
	return some
}

// notMatching returns the addresses that are not blocked; if that is all of them, the same slice.
func (l list) notMatching(all []jid.JID) []jid.JID {
	if len(l) == 0 || !slices.ContainsFunc(all, l.has) {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), l.has)
}

// with returns a list with more addresses.
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

// without returns a list with fewer addresses; an empty argument removes all (XEP-0191 §3.5).
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
