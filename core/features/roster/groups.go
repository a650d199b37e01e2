package roster

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Group is a shared group: its members are in each other's rosters with subscription both, and none of them can change that.
type Group struct {
	Name    string // unique on the host
	Members []jid.JID
}

// groups are the shared groups of a host. They are immutable, and kept once for all members.
type groups struct {
	byName   map[string]*group
	byMember map[jid.JID][]*group // by name
}

type group struct {
	name    string
	members []jid.JID // by address, without duplicates
	state   string    // of name and members
}

func newGroups(list []Group) *groups {
	all := &groups{byName: map[string]*group{}, byMember: map[jid.JID][]*group{}}
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Group) int { return strings.Compare(a.Name, b.Name) })
	for _, g := range list {
		members := slices.Clone(g.Members)
		slices.SortFunc(members, compare)
		next := &group{name: g.Name, members: slices.Compact(members)}
		state := sha256.New()
		for _, text := range append([]string{g.Name}, texts(next.members)...) {
			_, _ = state.Write([]byte(text + "\x00"))
		}
		next.state = hex.EncodeToString(state.Sum(nil)[:8])
		all.byName[g.Name] = next
		for _, m := range next.members {
			all.byMember[m] = append(all.byMember[m], next)
		}
	}
	return all
}

func texts(list []jid.JID) []string {
	all := make([]string, len(list))
	for i, j := range list {
		all[i] = j.String()
	}
	return all
}

// common returns the names of the groups that two accounts are both in, sorted.
func (all *groups) common(account, contact jid.JID) []string {
	if account == contact {
		return nil
	}
	var names []string
	for _, g := range all.byMember[account] {
		if slices.Contains(all.byMember[contact], g) {
			names = append(names, g.name)
		}
	}
	return names
}

// share reports whether two accounts are in the same group.
func (all *groups) share(account, contact jid.JID) bool {
	if account == contact {
		return false
	}
	for _, g := range all.byMember[account] {
		if slices.Contains(all.byMember[contact], g) {
			return true
		}
	}
	return false
}

// contacts returns the members of an account's groups besides itself, each once, by address.
func (all *groups) contacts(account jid.JID) []jid.JID {
	var list []jid.JID
	mine := all.byMember[account]
	for _, g := range mine {
		list = append(list, g.members...)
	}
	if len(mine) > 1 {
		slices.SortFunc(list, compare)
		list = slices.Compact(list)
	}
	return slices.DeleteFunc(list, func(m jid.JID) bool { return m == account })
}

// state identifies what an account sees of all groups; "" if it is in none.
func (all *groups) state(account jid.JID) string {
	mine := all.byMember[account]
	switch len(mine) {
	case 0:
		return ""
	case 1:
		return mine[0].state
	}
	sum := sha256.New()
	for _, g := range mine {
		_, _ = sum.Write([]byte(g.state))
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// affected returns the contacts of an account that may differ between all and next.
func (all *groups) affected(next *groups, account jid.JID) []jid.JID {
	if all.state(account) == next.state(account) {
		return nil
	}
	was, is := all.byMember[account], next.byMember[account]
	if !slices.EqualFunc(was, is, func(a, b *group) bool { return a.name == b.name }) {
		return union(all.contacts(account), next.contacts(account))
	}
	var list []jid.JID
	for i, g := range was {
		if g.state != is[i].state {
			list = append(list, difference(g.members, is[i].members)...)
			list = append(list, difference(is[i].members, g.members)...)
		}
	}
	return union(list, nil)
}

func union(a, b []jid.JID) []jid.JID {
	list := slices.Concat(a, b)
	slices.SortFunc(list, compare)
	return slices.Compact(list)
}

// difference returns what is in a and not in b; both are sorted.
func difference(a, b []jid.JID) []jid.JID {
	var list []jid.JID
	for _, j := range a {
		if !has(b, j) {
			list = append(list, j)
		}
	}
	return list
}
