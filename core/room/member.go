package room

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Member is a network member: somebody who is in the room without an XMPP session.
type Member struct {
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

// Hat is a title in the room that is no affiliation (XEP-0317 §3.2).
type Hat struct{ URI, Title string }

// Departure says how somebody went.
type Departure struct {
	Kind   DepartureKind
	Actor  string // nick of who did it, "" for nobody
	Reason string
}

// DepartureKind is why somebody is out of the room.
type DepartureKind uint8

// The ways to go.
const (
	Left              DepartureKind = iota
	Kicked                          // status 307
	Banned                          // status 301
	LostAffiliation                 // status 321: affiliation lost in a members-only room
	BecameMembersOnly               // status 322: the room has become members-only
	Shutdown                        // status 332
	Fault                           // status 333: delivery failed
)

func (k DepartureKind) codes() []int {
	switch k {
	case Kicked:
		return []int{statusKicked}
	case Banned:
		return []int{statusBanned}
	case LostAffiliation:
		return []int{statusRemoved}
	case BecameMembersOnly:
		return []int{statusMembersOnly}
	case Shutdown:
		return []int{statusShutdown}
	case Fault:
		return []int{statusFault}
	}
	return nil
}

// SetMember brings a network member in or changes one, tells everybody what is new, and
// gives the nick that the member has. A member who is as before costs nothing.
func (r *Room) SetMember(ctx context.Context, m Member) (nick string, err error) {
	if m.ID == "" || len(m.ID) > maxOccupantID {
		return "", fmt.Errorf("occupant id of %d bytes", len(m.ID))
	}
	if r.gone {
		return "", fmt.Errorf("room %s is destroyed", r.jid)
	}
	if m.Role == "" {
		m.Role = RoleParticipant
	}
	if m.Affiliation == "" {
		m.Affiliation = AffNone
	}
	o := r.ids[m.ID]
	fresh := o == nil
	if o == nil || o.member == nil {
		if r.members >= r.limits.Members {
			return "", fmt.Errorf("room %s has %d network members, the limit", r.jid, r.members)
		}
		r.members++
	}
	if fresh {
		o = r.seat(m.ID, r.uniqueNick(m.Nick, nil))
	}
	before := o.role
	old := r.visible(o)
	o.member = &m
	o.changed()
	o.role, o.aff = m.Role, m.Affiliation
	if !fresh {
		if nick := r.uniqueNick(m.Nick, o); nick != o.nick {
			r.moveTo(ctx, o, nick)
			return o.nick, nil
		}
	}
	if fresh || r.visible(o) != old {
		r.announceChange(o, before, notice{})
	}
	return o.nick, nil
}

// RemoveMember takes a network member out. Sessions that had joined it stay: Evict removes them.
func (r *Room) RemoveMember(ctx context.Context, id string, d Departure) bool {
	o := r.ids[id]
	if o == nil || o.member == nil {
		return false
	}
	r.members--
	if len(o.sessions) > 0 {
		o.member = nil
		o.changed()
		r.announce(o, notice{})
		return true
	}
	r.farewell(o, d, "")
	r.unseat(o)
	return true
}

// Evict takes all sessions of an occupant out, and the network member too.
func (r *Room) Evict(ctx context.Context, id string, d Departure) bool {
	o := r.ids[id]
	if o == nil {
		return false
	}
	r.expel(ctx, o, d)
	return true
}

// EvictSession takes one session out.
func (r *Room) EvictSession(ctx context.Context, session jid.JID, d Departure) bool {
	s := r.sessions[session]
	if s == nil {
		return false
	}
	r.depart(ctx, s, d, nil)
	return true
}

// Occupants are all who are in the room, in the order in which they came.
func (r *Room) Occupants() []Occupant {
	list := make([]Occupant, len(r.seats))
	for i, o := range r.seats {
		list[i] = o.view()
	}
	return list
}

// Occupant is one of them by id.
func (r *Room) Occupant(id string) (Occupant, bool) {
	o := r.ids[id]
	if o == nil {
		return Occupant{}, false
	}
	return o.view(), true
}

// ByNick is one of them by nick.
func (r *Room) ByNick(nick string) (Occupant, bool) {
	o := r.nicks[nick]
	if o == nil {
		return Occupant{}, false
	}
	return o.view(), true
}

// BySession is the occupant that an XMPP session is.
func (r *Room) BySession(session jid.JID) (Occupant, bool) {
	s := r.sessions[session]
	if s == nil {
		return Occupant{}, false
	}
	return s.o.view(), true
}

// Sessions is how many XMPP sessions are in the room; a room without any needs no presence.
func (r *Room) Sessions() int { return len(r.order) }
