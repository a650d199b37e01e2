package room

import (
	"maps"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
	nicks "github.com/dragoman-im/dragoman/core/nick"
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
}

// Snapshot returns a copy of the lasting state.
func (r *Room) Snapshot() Snapshot {
	return Snapshot{Info: r.info, Config: r.config, Subject: r.subject, Affiliations: maps.Clone(r.lists)}
}

func (r *Room) restore(s *Snapshot) {
	r.info, r.config, r.subject = s.Info, s.Config, s.Subject
	for j, st := range s.Affiliations {
		if !j.IsZero() && st.Affiliation.Valid() && len(r.lists) < r.limits.Affiliations {
			r.lists[j.Bare()] = st
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
	look := nicks.Skeleton(nick)
	for j, s := range r.lists {
		if s.Nick != "" && j != bare && nicks.Skeleton(s.Nick) == look {
			return true
		}
	}
	return false
}
