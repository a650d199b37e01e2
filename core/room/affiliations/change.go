package affiliations

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Change is a new entry; one of affiliation none removes the entry.
type Change struct {
	JID   jid.JID // bare, or a domain
	Entry Entry
}

// Wanted is a change that somebody asks for.
type Wanted struct {
	JID         jid.JID // bare, or a domain
	Affiliation rules.Affiliation
	Nick        string // "" keeps the reserved nick
	NoNick      bool   // the reserved nick is removed
	Reason      string
}

// entry returns the entry that a change leads to. A ban ends the reservation of a nick (XEP-0045 §9.1).
func (w Wanted) entry(old Entry) Entry {
	e := Entry{Affiliation: w.Affiliation, Nick: w.Nick, Reason: w.Reason}
	if e.Nick == "" {
		e.Nick = old.Nick
	}
	if w.Affiliation == rules.AffOutcast || w.NoNick {
		e.Nick = ""
	}
	return e
}

// Plan returns the entries that result from changes. It changes no entry, and fails if the lists would exceed their limit.
func (l *Lists) Plan(wanted []Wanted) ([]Change, error) {
	var plan []Change
	entries, most := len(l.entries), l.limit
	planned := map[jid.JID]Entry{}
	for _, w := range wanted {
		old, had := planned[w.JID]
		if !had {
			old, had = l.entries[w.JID]
		} else {
			had = old.Affiliation != rules.AffNone
		}
		entry := w.entry(old)
		switch has := entry.Affiliation != rules.AffNone; {
		case has && !had:
			entries++
			most = min(most, l.most(entry.Affiliation))
		case had && !has:
			entries--
		}
		planned[w.JID] = entry
		plan = append(plan, Change{JID: w.JID, Entry: entry})
	}
	if entries > len(l.entries) && entries > most {
		return nil, stanza.ResourceConstraint("The lists of this room are full.")
	}
	l.planVersions(plan)
	return plan, nil
}

// most returns how many entries there may be after one of an affiliation is added. The last quarter is for those who are not
// members: where people may register by themselves (XEP-0045 §7.10), they must not be able to keep others from being banned. Of that
// quarter a fifth is for admins and owners.
func (l *Lists) most(a rules.Affiliation) int {
	switch a {
	case rules.AffMember:
		return l.limit - l.limit/4
	case rules.AffOutcast:
		return l.limit - l.limit/20
	}
	return l.limit
}

// Apply carries out one change, which was planned and is durable.
func (l *Lists) Apply(w Wanted) Step {
	before := l.own(w.JID)
	l.put(Change{JID: w.JID, Entry: w.entry(l.entries[w.JID])})
	return l.advance(w.JID, before)
}

// CheckOwnerLeft refuses changes after which the room has no owner (XEP-0045 §10.4).
func (l *Lists) CheckOwnerLeft(wanted []Wanted) error {
	owners, had := map[jid.JID]bool{}, false
	for j, e := range l.entries {
		if e.Affiliation == rules.AffOwner {
			owners[j], had = true, true
		}
	}
	for _, w := range wanted {
		if w.Affiliation == rules.AffOwner {
			owners[w.JID] = true
		} else {
			delete(owners, w.JID)
		}
	}
	if had && len(owners) == 0 {
		return stanza.Conflict("A room needs an owner.")
	}
	return nil
}
