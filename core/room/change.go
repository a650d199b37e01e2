package room

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/hats"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Change is a change of a room's lasting state. Fields that are nil or false stay as they are. All of a
// Change is to be written in one transaction.
type Change struct {
	Created   bool // the room is new: Info and Config are set
	Info      *Info
	Config    *Config
	Subject   *Subject
	Lists     []ListChange
	Hats      *hats.List
	Destroyed bool // all of the room is removed
}

// ListChange is a new entry of the affiliation lists; one of affiliation none is removed.
type ListChange struct {
	JID   jid.JID // bare, or a domain
	Entry ListEntry
}

// save makes a change durable. The caller announces the change only after that, and not at all after an error.
func (r *Room) save(ctx context.Context, c Change) error {
	if r.saver == nil {
		return nil
	}
	if err := r.saver(ctx, c); err != nil {
		return fmt.Errorf("save room %s: %w", r.jid, err)
	}
	return nil
}

// planLists computes the list entries that result from changes of affiliation. It changes nothing and
// fails if the lists would exceed their limit.
func (r *Room) planLists(wanted []Action) ([]ListChange, error) {
	var plan []ListChange
	entries := len(r.lists)
	planned := map[jid.JID]ListEntry{}
	for _, w := range wanted {
		if w.Kind != ActionAffiliation && w.Kind != ActionInvite && w.Kind != ActionRegister || w.JID.IsZero() {
			continue
		}
		old, had := planned[w.JID]
		if !had {
			old, had = r.lists[w.JID]
		} else {
			had = old.Affiliation != AffNone
		}
		entry := w.listEntry(old)
		switch has := entry.Affiliation != AffNone; {
		case has && !had:
			entries++
		case had && !has:
			entries--
		}
		planned[w.JID] = entry
		plan = append(plan, ListChange{JID: w.JID, Entry: entry})
	}
	if entries > len(r.lists) && entries > r.limits.Affiliations {
		r.log.Warn("room lists are full", "entries", len(r.lists))
		return nil, stanza.ResourceConstraint("The lists of this room are full.")
	}
	return plan, nil
}

// listEntry returns the entry that an action leads to. A ban ends the reservation of a nick (XEP-0045 §9.1).
func (w Action) listEntry(old ListEntry) ListEntry {
	e := ListEntry{Affiliation: w.Affiliation, Nick: w.Value, Reason: w.Reason}
	if e.Nick == "" {
		e.Nick = old.Nick
	}
	if w.Affiliation == AffOutcast || w.NoNick {
		e.Nick = ""
	}
	return e
}

// saveLists makes changes of affiliation durable; the caller then puts them into the lists.
func (r *Room) saveLists(ctx context.Context, wanted []Action) error {
	plan, err := r.planLists(wanted)
	if err != nil || len(plan) == 0 {
		return err
	}
	return r.save(ctx, Change{Lists: plan})
}
