package affiliations

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
	nicks "github.com/dragoman-im/dragoman/core/nick"
	"github.com/dragoman-im/dragoman/core/room/rules"
)

// Entry is one entry of the lists.
type Entry struct {
	Affiliation rules.Affiliation
	Nick        string // reserved for the JID
	Reason      string
}

// Lists are the affiliations of a room.
type Lists struct {
	entries map[jid.JID]Entry // by bare JID or domain
	// reserved says who has reserved a nick, by its skeleton. The first keeps it where a network gives it to several people.
	reserved map[string]jid.JID
	limit    int       // entries
	versions []Version // the newest last; never empty
	planned  []Version // by the last Plan, as far as it was not carried out
}

// New returns empty lists, which take at most limit entries.
func New(limit int) *Lists {
	return &Lists{entries: map[jid.JID]Entry{}, reserved: map[string]jid.JID{}, limit: limit, versions: []Version{FirstVersion()}}
}

// Restore replaces all entries by stored ones, which are of the last of the versions. Where there are more than the limit, which may have been
// lowered, owners and outcasts are kept all the same, then admins, then members, each in the order of their addresses.
func (l *Lists) Restore(stored map[jid.JID]Entry, versions []Version) {
	l.restoreVersions(versions)
	clear(l.entries)
	clear(l.reserved)
	order := make([]Change, 0, len(stored))
	for j, e := range stored {
		if !j.IsZero() && e.Affiliation.Valid() {
			order = append(order, Change{JID: j.Bare(), Entry: e})
		}
	}
	slices.SortFunc(order, func(a, b Change) int {
		return cmp.Or(keptFirst(a.Entry.Affiliation)-keptFirst(b.Entry.Affiliation), strings.Compare(a.JID.String(), b.JID.String()))
	})
	for _, c := range order {
		if keptFirst(c.Entry.Affiliation) == 0 || len(l.entries) < l.limit {
			l.put(c)
		}
	}
}

// keptFirst orders affiliations for Restore.
func keptFirst(a rules.Affiliation) int {
	switch a {
	case rules.AffOwner, rules.AffOutcast:
		return 0
	case rules.AffAdmin:
		return 1
	}
	return 2
}

// Entries returns a copy of all entries, by bare JID or domain.
func (l *Lists) Entries() map[jid.JID]Entry { return maps.Clone(l.entries) }

// All iterates over them without a copy; they must not be changed meanwhile.
func (l *Lists) All() iter.Seq2[jid.JID, Entry] { return maps.All(l.entries) }

// Find returns the entry of exactly this bare JID or domain.
func (l *Lists) Find(j jid.JID) (e Entry, listed bool) {
	e, listed = l.entries[j]
	return e, listed
}

// Len returns the number of entries.
func (l *Lists) Len() int { return len(l.entries) }

// Entry returns the entry of a bare JID or domain; the zero Entry where there is none.
func (l *Lists) Entry(bare jid.JID) Entry { return l.entries[bare] }

// Has reports whether there is an entry of a bare JID or domain.
func (l *Lists) Has(bare jid.JID) bool {
	_, ok := l.entries[bare]
	return ok
}

// Of returns the affiliation of a bare JID: that of its entry, or else of its domain.
func (l *Lists) Of(bare jid.JID) rules.Affiliation {
	if e, ok := l.entries[bare]; ok {
		return e.Affiliation
	}
	if l.entries[bare.Host()].Affiliation == rules.AffOutcast { // XEP-0045 §9.2: a banned domain
		return rules.AffOutcast
	}
	return rules.AffNone
}

// With returns the JIDs that have an affiliation by an entry of their own, sorted.
func (l *Lists) With(a rules.Affiliation) []jid.JID {
	var list []jid.JID
	for j, e := range l.entries {
		if e.Affiliation == a {
			list = append(list, j)
		}
	}
	slices.SortFunc(list, func(a, b jid.JID) int { return strings.Compare(a.String(), b.String()) })
	return list
}

// ReservedFor reports whether a nick, or one that looks like it, is reserved for a JID other than bare (XEP-0045 §7.2.8).
func (l *Lists) ReservedFor(nick string, bare jid.JID) bool {
	by, ok := l.reserved[nicks.Skeleton(nick)]
	return ok && by != bare
}

// put writes one entry.
func (l *Lists) put(c Change) {
	if old := l.entries[c.JID].Nick; old != "" && l.reserved[nicks.Skeleton(old)] == c.JID {
		delete(l.reserved, nicks.Skeleton(old))
	}
	if c.Entry.Affiliation == rules.AffNone {
		delete(l.entries, c.JID)
		return
	}
	l.entries[c.JID] = c.Entry
	if c.Entry.Nick != "" {
		if look := nicks.Skeleton(c.Entry.Nick); l.reserved[look].IsZero() {
			l.reserved[look] = c.JID
		}
	}
}
