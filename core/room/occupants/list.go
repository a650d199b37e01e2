package occupants

import (
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	nicks "github.com/dragoman-im/dragoman/core/nick"
	"github.com/dragoman-im/dragoman/core/room/hats"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Room is what the presence of occupants depends on beside them.
type Room struct {
	JID    jid.JID
	Limits rules.Limits
	Config *rules.Config
	Hats   *hats.List
	Send   func(*stanza.Stanza)
	// SendMany sends one stanza, whose To is empty, to many sessions. It may keep the stanza and the list, and set Found of the receivers.
	SendMany func(st *stanza.Stanza, to []stanza.Receiver)
}

// List has the occupants of a room and their sessions.
type List struct {
	Room
	byID      map[string]*Occupant
	byNick    map[string]*Occupant
	byLook    map[string]*Occupant // by the skeleton of the nick
	bySession map[jid.JID]*Session
	occupants []*Occupant       // in order of entry
	sessions  []*Session        // in order of entry
	receivers []stanza.Receiver // sessions, for SendMany
	puppets   int
}

// New returns an empty list.
func New(r Room) *List {
	return &List{
		Room: r, byID: map[string]*Occupant{}, byNick: map[string]*Occupant{}, byLook: map[string]*Occupant{}, bySession: map[jid.JID]*Session{},
	}
}

// All returns the occupants in the order of entry. The caller must not change the list.
func (l *List) All() []*Occupant { return l.occupants }

// Sessions returns the sessions of all occupants in the order of entry. The caller must not change the list.
func (l *List) Sessions() []*Session { return l.sessions }

// Receivers returns Sessions for SendMany. The caller must not change the list.
func (l *List) Receivers() []stanza.Receiver { return l.receivers }

// Puppets returns the number of puppets.
func (l *List) Puppets() int { return l.puppets }

// Users returns the number of occupants that have sessions.
func (l *List) Users() int {
	n := 0
	for _, o := range l.occupants {
		if len(o.Sessions) > 0 {
			n++
		}
	}
	return n
}

// ByID returns the occupant of an occupant id, or nil.
func (l *List) ByID(id string) *Occupant { return l.byID[id] }

// ByNick returns the occupant that has exactly this nick, or nil.
func (l *List) ByNick(nick string) *Occupant { return l.byNick[nick] }

// Alike returns the occupant whose nick is this one or looks like it, or nil.
func (l *List) Alike(nick string) *Occupant { return l.byLook[nicks.Skeleton(nick)] }

// BySession returns the session of a full JID, or nil.
func (l *List) BySession(full jid.JID) *Session { return l.bySession[full] }

// ByBare returns the first occupant of a bare JID, or nil.
func (l *List) ByBare(bare jid.JID) *Occupant {
	for _, o := range l.occupants {
		if o.BareJID() == bare {
			return o
		}
	}
	return nil
}

// Add adds an occupant; the caller adds a session or a puppet to it.
func (l *List) Add(id, nick string) *Occupant {
	o := &Occupant{ID: id}
	l.byID[id] = o
	l.occupants = append(l.occupants, o)
	l.Rename(o, nick)
	return o
}

// Rename changes the nick of o, and announces nothing. The caller has checked that nick is free.
func (l *List) Rename(o *Occupant, nick string) {
	l.dropNick(o)
	o.Nick = nick
	o.JID, _ = l.JID.WithResource(nick) // checked by CheckNick and CleanNick
	l.byNick[nick], l.byLook[nicks.Skeleton(nick)] = o, o
	o.Changed()
}

// dropNick forgets the nick of o.
func (l *List) dropNick(o *Occupant) {
	if l.byNick[o.Nick] == o {
		delete(l.byNick, o.Nick)
	}
	if look := nicks.Skeleton(o.Nick); l.byLook[look] == o {
		delete(l.byLook, look)
	}
}

// SetPuppet makes o a puppet, another one, or with nil none.
func (l *List) SetPuppet(o *Occupant, p *Puppet) {
	if o.Puppet != nil {
		l.puppets--
	}
	if p != nil {
		l.puppets++
	}
	o.Puppet = p
	o.Changed()
}

// Remove removes an occupant that has neither sessions nor a puppet.
func (l *List) Remove(o *Occupant) {
	delete(l.byID, o.ID)
	l.dropNick(o)
	if i := slices.Index(l.occupants, o); i >= 0 {
		l.occupants = slices.Delete(l.occupants, i, i+1)
	}
}

// Attach adds a session to an occupant.
func (l *List) Attach(o *Occupant, s *Session) {
	s.Occupant, s.at = o, len(l.sessions)
	l.sessions = append(l.sessions, s)
	l.receivers = append(l.receivers, stanza.Receiver{JID: s.JID})
	l.bySession[s.JID] = s
	o.Sessions = append(o.Sessions, s)
	o.Changed()
}

// Detach removes a session from its occupant, which stays.
func (l *List) Detach(s *Session) {
	delete(l.bySession, s.JID)
	l.sessions = slices.Delete(l.sessions, s.at, s.at+1)
	l.receivers = slices.Concat(l.receivers[:s.at], l.receivers[s.at+1:]) // SendMany may still use the old list
	for i := s.at; i < len(l.sessions); i++ {
		l.sessions[i].at = i
	}
	o := s.Occupant
	if i := slices.Index(o.Sessions, s); i >= 0 {
		o.Sessions = slices.Delete(o.Sessions, i, i+1)
	}
	o.Changed()
}

// Clear removes all occupants and sessions.
func (l *List) Clear() {
	clear(l.byID)
	clear(l.byNick)
	clear(l.byLook)
	clear(l.bySession)
	l.occupants, l.sessions, l.receivers, l.puppets = nil, nil, nil, 0
}
