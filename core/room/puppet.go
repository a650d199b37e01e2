package room

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
)

// SetPuppet adds or changes a puppet, announces the change, and returns the puppet's nick.
// It sends nothing if nothing has changed.
func (r *Room) SetPuppet(ctx context.Context, p occupants.Puppet) (nick string, err error) {
	if p.ID == "" || len(p.ID) > occupants.MaxID {
		return "", fmt.Errorf("occupant id of %d bytes", len(p.ID))
	}
	if r.gone {
		return "", fmt.Errorf("room %s is destroyed", r.jid)
	}
	if p.Role == "" {
		p.Role = rules.RoleParticipant
	}
	if p.Affiliation == "" {
		p.Affiliation = rules.AffNone
	}
	o := r.occupants.ByID(p.ID)
	fresh := o == nil
	if o == nil || o.Puppet == nil {
		if r.occupants.Puppets() >= r.limits.Puppets {
			return "", fmt.Errorf("room %s has %d puppets, which is the limit", r.jid, r.occupants.Puppets())
		}
	}
	if fresh {
		o = r.occupants.Add(p.ID, r.occupants.UniqueNick(p.Nick, nil))
	}
	before := o.Role
	old := r.occupants.Visible(o)
	r.occupants.SetPuppet(o, &p)
	o.Role, o.Affiliation = p.Role, p.Affiliation
	if !fresh {
		if nick := r.occupants.UniqueNick(p.Nick, o); nick != o.Nick {
			r.changeNickTo(ctx, o, nick)
			return o.Nick, nil
		}
	}
	if fresh || r.occupants.Visible(o) != old {
		r.occupants.AnnounceChange(o, before, occupants.Change{})
	}
	return o.Nick, nil
}

// RemovePuppet removes a puppet. Sessions that had joined it stay: RemoveOccupant removes them too.
func (r *Room) RemovePuppet(ctx context.Context, id string, d Departure) bool {
	o := r.occupants.ByID(id)
	if o == nil || o.Puppet == nil {
		return false
	}
	if len(o.Sessions) > 0 {
		r.occupants.SetPuppet(o, nil)
		r.occupants.Announce(o, occupants.Change{})
		return true
	}
	r.announceLeave(o, d, "")
	r.occupants.SetPuppet(o, nil)
	r.occupants.Remove(o)
	return true
}
