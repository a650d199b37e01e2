package room

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/hats"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/room/visits"
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
	Requests  []Request    // that are new, or answered
	Roles     []RoleChange // that a moderator has decided about
	NoRoles   bool         // all that were decided before are forgotten
	Destroyed bool         // all of the room is removed
}

// Request is a registration that waits for an admin (XEP-0045 §9.9).
type Request struct {
	JID  jid.JID // bare
	Nick string  // "": it was answered
}

// RoleChange is the role that somebody gets on entering again, by their occupant id; the zero Kept is the usual one.
type RoleChange struct {
	ID   string
	Kept visits.Kept
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

// saveLists makes changes of affiliation and of roles durable; the caller then applies them to the lists and the occupants.
func (r *Room) saveLists(ctx context.Context, wanted []Action) error {
	plan, err := r.planLists(wanted)
	if err != nil {
		return err
	}
	return r.saveDecisions(ctx, Change{Lists: plan, Versions: r.lists.Planned()}, wanted)
}

// saveDecisions is save with what actions change in what is remembered of people.
func (r *Room) saveDecisions(ctx context.Context, c Change, wanted []Action) error {
	c.Roles, c.Requests = r.planRoles(wanted), r.answered(wanted)
	if c.Info == nil && len(c.Lists)+len(c.Roles)+len(c.Requests) == 0 {
		return nil
	}
	if err := r.save(ctx, c); err != nil {
		return err
	}
	for _, k := range c.Roles {
		r.visits.Keep(k.ID, k.Kept)
	}
	for _, q := range c.Requests {
		delete(r.requests, q.JID)
	}
	return nil
}

// planRoles returns the decisions about roles that outlast a visit: a moderator gives or takes voice; a change of affiliation ends that.
func (r *Room) planRoles(wanted []Action) (list []RoleChange) {
	for _, w := range wanted {
		if w.Kind != ActionRole {
			if !w.JID.IsZero() && r.lists.Of(w.JID) != w.Affiliation {
				for _, id := range r.visits.Of(w.JID) {
					list = append(list, RoleChange{ID: id})
				}
			}
			continue
		}
		o := r.occupants.ByID(w.Target.ID)
		if o == nil || o.Puppet != nil {
			continue
		}
		if k, changed := r.visits.Decide(o.ID, o.BareJID(), w.Role, rules.DefaultRole(o.Affiliation, r.config.Moderated)); changed {
			list = append(list, RoleChange{o.ID, k})
		}
	}
	return list
}

// answered returns the registrations that do not wait any longer after changes of affiliation.
func (r *Room) answered(wanted []Action) (list []Request) {
	for _, w := range wanted {
		if w.Kind != ActionRole && r.requests[w.JID] != "" {
			list = append(list, Request{JID: w.JID})
		}
	}
	return list
}

// endRequest forgets a registration that waits, and reports whether there was one.
func (r *Room) endRequest(ctx context.Context, who jid.JID) (bool, error) {
	if r.requests[who] == "" {
		return false, nil
	}
	if err := r.save(ctx, Change{Requests: []Request{{JID: who}}}); err != nil {
		return true, err
	}
	delete(r.requests, who)
	return true, nil
}

// Forget removes what the room remembers of an address, of an account that was deleted: the registration that waits, and roles.
func (r *Room) Forget(ctx context.Context, who jid.JID) error {
	c := Change{}
	if r.requests[who] != "" {
		c.Requests = []Request{{JID: who}}
	}
	for _, id := range r.visits.Of(who) {
		c.Roles = append(c.Roles, RoleChange{ID: id})
	}
	if len(c.Requests)+len(c.Roles) == 0 {
		return nil
	}
	if err := r.save(ctx, c); err != nil {
		return err
	}
	delete(r.requests, who)
	for _, k := range c.Roles {
		r.visits.Keep(k.ID, visits.Kept{})
	}
	return nil
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
