package room

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/hats"
	"github.com/dragoman-im/dragoman/core/room/rules"
)

// Change is a change of a room's lasting state. Fields that are nil or false stay as they are. All of a
// Change is to be written in one transaction.
type Change struct {
	Created   bool // the room is new: Info and Config are set
	Info      *rules.Info
	Config    *rules.Config
	Subject   *Subject
	Lists     []affiliations.Change
	Versions  []affiliations.Version // that Lists leads to
	Hats      *hats.List
	Destroyed bool // all of the room is removed
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

// planLists returns the list entries that result from changes of affiliation. It changes nothing, and fails if the lists would exceed
// their limit.
func (r *Room) planLists(wanted []Action) ([]affiliations.Change, error) {
	plan, err := r.lists.Plan(listed(wanted))
	if err != nil {
		r.log.Warn("room lists are full", "entries", r.lists.Len())
	}
	return plan, err
}

// saveLists makes changes of affiliation durable; the caller then applies them to the lists.
func (r *Room) saveLists(ctx context.Context, wanted []Action) error {
	plan, err := r.planLists(wanted)
	if err != nil || len(plan) == 0 {
		return err
	}
	return r.save(ctx, Change{Lists: plan, Versions: r.lists.Planned()})
}

// listed returns what actions change in the lists.
func listed(actions []Action) []affiliations.Wanted {
	var list []affiliations.Wanted
	for _, a := range actions {
		if (a.Kind == ActionAffiliation || a.Kind == ActionInvite || a.Kind == ActionRegister) && !a.JID.IsZero() {
			list = append(list, a.wanted())
		}
	}
	return list
}

// wanted returns the change of the lists that an action leads to.
func (a Action) wanted() affiliations.Wanted {
	return affiliations.Wanted{JID: a.JID, Affiliation: a.Affiliation, Nick: a.Value, NoNick: a.NoNick, Reason: a.Reason}
}
