package room

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Puppet is a remote person who is an occupant without an XMPP session.
type Puppet struct {
	ID   string // stable occupant id of 1 to 128 bytes
	Nick string // display name; the engine cleans it and makes it unique
	JID  jid.JID
	// Role and Affiliation; "" is participant and none.
	Role        Role
	Affiliation Affiliation
	Show        string // away, chat, dnd, xa; "" is available
	Status      string
	Hats        []Hat
	Extra       []*stanza.Element // further children of the presence, such as vcard-temp:x:update
}

// SetPuppet adds or changes a puppet, announces the change, and returns the puppet's nick.
// It sends nothing if nothing has changed.
func (r *Room) SetPuppet(ctx context.Context, p Puppet) (nick string, err error) {
	if p.ID == "" || len(p.ID) > maxOccupantID {
		return "", fmt.Errorf("occupant id of %d bytes", len(p.ID))
	}
	if r.gone {
		return "", fmt.Errorf("room %s is destroyed", r.jid)
	}
	if p.Role == "" {
		p.Role = RoleParticipant
	}
	if p.Affiliation == "" {
		p.Affiliation = AffNone
	}
	o := r.byID[p.ID]
	fresh := o == nil
	if o == nil || o.puppet == nil {
		if r.puppets >= r.limits.Puppets {
			return "", fmt.Errorf("room %s has %d puppets, which is the limit", r.jid, r.puppets)
		}
		r.puppets++
	}
	if fresh {
		o = r.addOccupant(p.ID, r.uniqueNick(p.Nick, nil))
	}
	before := o.role
	old := r.visible(o)
	o.puppet = &p
	o.dropCache()
	o.role, o.aff = p.Role, p.Affiliation
	if !fresh {
		if nick := r.uniqueNick(p.Nick, o); nick != o.nick {
			r.changeNickTo(ctx, o, nick)
			return o.nick, nil
		}
	}
	if fresh || r.visible(o) != old {
		r.announceChange(o, before, presenceChange{})
	}
	return o.nick, nil
}

// RemovePuppet removes a puppet. Sessions that had joined it stay: RemoveOccupant removes them too.
func (r *Room) RemovePuppet(ctx context.Context, id string, d Departure) bool {
	o := r.byID[id]
	if o == nil || o.puppet == nil {
		return false
	}
	r.puppets--
	if len(o.sessions) > 0 {
		o.puppet = nil
		o.dropCache()
		r.announce(o, presenceChange{})
		return true
	}
	r.announceLeave(o, d, "")
	r.deleteOccupant(o)
	return true
}
