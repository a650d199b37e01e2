package room

import (
	"maps"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
)

// ListEntry is one entry of the room's lists.
type ListEntry struct {
	Affiliation Affiliation
	Nick        string // reserved for the JID
	Reason      string
}

// Snapshot is all of a room that lasts.
type Snapshot struct {
	Info         Info
	Config       Config
	Subject      Subject
	Affiliations map[jid.JID]ListEntry // by bare JID
}

// Snapshot is a copy of all that lasts, for the Owner to keep.
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

// standing is the affiliation of a bare JID by the lists.
func (r *Room) listedAffiliation(bare jid.JID) Affiliation {
	if s, ok := r.lists[bare]; ok {
		return s.Affiliation
	}
	if r.lists[bare.Host()].Affiliation == AffOutcast { // XEP-0045 §9.2: a banned domain
		return AffOutcast
	}
	return AffNone
}

// listed are the entries of one affiliation, sorted by address.
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

// reservedFor tells whether a nick is reserved for somebody other than bare (XEP-0045 §7.2.8).
func (r *Room) reservedFor(nick string, bare jid.JID) bool {
	for j, s := range r.lists {
		if s.Nick == nick && j != bare {
			return true
		}
	}
	return false
}
