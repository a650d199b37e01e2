package room

import (
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	nicks "github.com/dragoman-im/dragoman/core/nick"
)

// Occupant is a copy of the state of an occupant.
type Occupant struct {
	ID          string // XEP-0421
	Nick        string
	JID         jid.JID // the real JID: that of the most available session, or the puppet's
	Role        Role
	Affiliation Affiliation
	Puppet      bool      // a puppet, with or without sessions
	Sessions    []jid.JID // XMPP sessions, in the order of entry
	Show        string    // as in presence; "" is available
	Status      string
}

// occupant is a puppet, sessions of one person, or both.
type occupant struct {
	id, nick string
	jid      jid.JID // room/nick
	role     Role
	aff      Affiliation
	puppet   *Puppet
	sessions []*session
	// presence caches the payload of presence, without and with the real JID; "" is not made yet.
	presence [2]string
}

// session is one XMPP session in the room.
type session struct {
	jid     jid.JID
	o       *occupant
	asked   string // the nick asked for on entering
	at      int    // index in receivers
	extra   string // start tag attributes of its last presence
	payload string // children of its last presence, cleaned
	show    string
	status  string
}

// bestSession returns the most available session, the first of equally available ones, or nil.
func (o *occupant) bestSession() *session {
	var best *session
	for _, s := range o.sessions {
		if best == nil || availability(s.show) > availability(best.show) {
			best = s
		}
	}
	return best
}

func availability(show string) int {
	switch show {
	case "chat":
		return 5
	case "":
		return 4
	case "dnd":
		return 3
	case "away":
		return 2
	}
	return 1
}

// realJID returns the JID that is shown to sessions that may see real JIDs (XEP-0045 §17.3: a full JID of a session).
func (o *occupant) realJID() jid.JID {
	if s := o.bestSession(); s != nil {
		return s.jid
	}
	if o.puppet != nil {
		return o.puppet.JID
	}
	return jid.JID{}
}

// bareJID returns the JID that affiliations belong to; zero where the occupant has none.
func (o *occupant) bareJID() jid.JID {
	if len(o.sessions) > 0 {
		return o.sessions[0].jid.Bare()
	}
	if o.puppet != nil && !o.puppet.JID.IsZero() {
		return o.puppet.JID.Bare()
	}
	return jid.JID{}
}

func (o *occupant) view() Occupant {
	v := Occupant{ID: o.id, Nick: o.nick, JID: o.realJID(), Role: o.role, Affiliation: o.aff, Puppet: o.puppet != nil}
	for _, s := range o.sessions {
		v.Sessions = append(v.Sessions, s.jid)
	}
	if s := o.bestSession(); s != nil {
		v.Show, v.Status = s.show, s.status
	} else if o.puppet != nil {
		v.Show, v.Status = o.puppet.Show, o.puppet.Status
	}
	return v
}

func (o *occupant) dropCache() { o.presence = [2]string{} }

// addOccupant adds an occupant; the caller adds a session or a puppet to it.
func (r *Room) addOccupant(id, nick string) *occupant {
	o := &occupant{id: id}
	r.byID[id] = o
	r.occupants = append(r.occupants, o)
	r.giveNick(o, nick)
	return o
}

// giveNick sets the nick of o. The caller has checked that nick is free.
func (r *Room) giveNick(o *occupant, nick string) {
	r.dropNick(o)
	o.nick = nick
	o.jid, _ = r.jid.WithResource(nick) // checked by nickFor and cleanNick
	r.byNick[nick], r.byLook[nicks.Skeleton(nick)] = o, o
	o.dropCache()
}

// dropNick forgets the nick of o.
func (r *Room) dropNick(o *occupant) {
	if r.byNick[o.nick] == o {
		delete(r.byNick, o.nick)
	}
	if look := nicks.Skeleton(o.nick); r.byLook[look] == o {
		delete(r.byLook, look)
	}
}

// deleteOccupant removes an occupant that has neither sessions nor a puppet.
func (r *Room) deleteOccupant(o *occupant) {
	delete(r.byID, o.id)
	r.dropNick(o)
	if i := slices.Index(r.occupants, o); i >= 0 {
		r.occupants = slices.Delete(r.occupants, i, i+1)
	}
}

// attachSession adds a session to an occupant.
func (r *Room) attachSession(o *occupant, s *session) {
	s.o, s.at = o, len(r.receivers)
	r.receivers = append(r.receivers, s)
	r.addresses = append(r.addresses, s.jid)
	r.bySession[s.jid] = s
	o.sessions = append(o.sessions, s)
	o.dropCache()
}

// detachSession removes a session from its occupant, which stays.
func (r *Room) detachSession(s *session) {
	delete(r.bySession, s.jid)
	r.receivers = slices.Delete(r.receivers, s.at, s.at+1)
	r.addresses = slices.Delete(r.addresses, s.at, s.at+1)
	for i := s.at; i < len(r.receivers); i++ {
		r.receivers[i].at = i
	}
	o := s.o
	if i := slices.Index(o.sessions, s); i >= 0 {
		o.sessions = slices.Delete(o.sessions, i, i+1)
	}
	o.dropCache()
	r.forgetQueries(s)
}
