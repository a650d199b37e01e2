package room

import (
	"maps"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
	nicks "github.com/dragoman-im/dragoman/core/nick"
	"github.com/dragoman-im/dragoman/core/room/hats"
)

// ListEntry is one entry of a room's affiliation lists.
type ListEntry struct {
	Affiliation Affiliation
	Nick        string // reserved for the JID
	Reason      string
}

// Snapshot is the lasting state of a room.
type Snapshot struct {
	Info         Info
	Config       Config
	Subject      Subject
	Affiliations map[jid.JID]ListEntry // by bare JID
	Hats         hats.List
}

// Snapshot returns a copy of the lasting state.
func (r *Room) Snapshot() Snapshot {
	return Snapshot{Info: r.info, Config: r.config, Subject: r.subject, Affiliations: maps.Clone(r.lists), Hats: r.hats}
}

func (r *Room) restore(s *Snapshot) {
	r.info, r.config, r.subject, r.hats = s.Info, s.Config, s.Subject, s.Hats
	for j, st := range s.Affiliations {
		if !j.IsZero() && st.Affiliation.Valid() && len(r.lists) < r.limits.Affiliations {
			r.putEntry(ListChange{JID: j.Bare(), Entry: st})
		}
	}
}

// listedAffiliation returns the affiliation of a bare JID according to the lists.
func (r *Room) listedAffiliation(bare jid.JID) Affiliation {
	if s, ok := r.lists[bare]; ok {
		return s.Affiliation
	}
	if r.lists[bare.Host()].Affiliation == AffOutcast { // XEP-0045 §9.2: a banned domain
		return AffOutcast
	}
	return AffNone
}

// listedAs returns the JIDs that have an affiliation in the lists, sorted.
func (r *Room) listedAs(a Affiliation) []jid.JID {
	var list []jid.JID
	for j, s := range r.lists {
		if s.Affiliation == a {
			list = append(list, j)
		}
	}
	slices.SortFunc(list, func(a, b jid.JID) int { return strings.Compare(a.String(), b.String()) })
	return list
}

// reservedFor reports whether a nick, or one that looks like it, is reserved for a JID other than bare (XEP-0045 §7.2.8).
func (r *Room) reservedFor(nick string, bare jid.JID) bool {
	by, ok := r.reserved[nicks.Skeleton(nick)]
	return ok && by != bare
}

// putEntry writes one entry of the lists.
func (r *Room) putEntry(c ListChange) {
	if old := r.lists[c.JID].Nick; old != "" && r.reserved[nicks.Skeleton(old)] == c.JID {
		delete(r.reserved, nicks.Skeleton(old))
	}
	if c.Entry.Affiliation == AffNone {
		delete(r.lists, c.JID)
		return
	}
	r.lists[c.JID] = c.Entry
	if c.Entry.Nick != "" {
		if look := nicks.Skeleton(c.Entry.Nick); r.reserved[look].IsZero() {
			r.reserved[look] = c.JID
		}
	}
}
