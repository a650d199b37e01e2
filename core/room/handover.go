package room

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/history"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
)

// State is the complete state of a room at one moment. Another process can continue the room from it without
// sending anything to the occupants. It can be marshalled as JSON. It does not contain relayed IQs that wait
// for an answer.
type State struct {
	Snapshot  Snapshot
	Occupants []OccupantState // in the order of entry
	Sessions  []jid.JID       // all of them, in the order of entry
	Invites   map[jid.JID]jid.JID
	History   []history.Entry // of the room's own history, the oldest first
}

// OccupantState is one occupant of a State.
type OccupantState struct {
	ID, Nick    string
	Role        rules.Role
	Affiliation rules.Affiliation
	Puppet      *occupants.Puppet // nil if the occupant is not a puppet
	Sessions    []SessionState
}

// SessionState is one session of an occupant.
type SessionState struct {
	JID            jid.JID
	Asked          string // the nick asked for on entering
	Extra, Payload string // of its last presence
	Show, Status   string
	Versions       bool // gets the versions of the affiliations
}

// State returns a copy of the complete state.
func (r *Room) State() State {
	s := State{Snapshot: r.Snapshot(), Invites: maps.Clone(r.invites)}
	for _, session := range r.occupants.Sessions() {
		s.Sessions = append(s.Sessions, session.JID)
	}
	for _, o := range r.occupants.All() {
		os := OccupantState{ID: o.ID, Nick: o.Nick, Role: o.Role, Affiliation: o.Affiliation}
		if o.Puppet != nil {
			m := *o.Puppet
			os.Puppet = &m
		}
		for _, ss := range o.Sessions {
			os.Sessions = append(os.Sessions, SessionState{
				JID: ss.JID, Asked: ss.Asked, Extra: ss.Extra, Payload: ss.Payload, Show: ss.Show, Status: ss.Status, Versions: ss.Versions,
			})
		}
		s.Occupants = append(s.Occupants, os)
	}
	if r.ring != nil {
		s.History = slices.Clone(r.ring.Entries())
	}
	return s
}

// Restore sets the state of a new room, which nobody has entered. It sends nothing and saves
// nothing. After an error the room must not be used.
func (r *Room) Restore(s State) error {
	if len(r.occupants.All()) > 0 || r.gone {
		return errors.New("restore a room that is in use")
	}
	r.restore(&s.Snapshot)
	r.invites = maps.Clone(s.Invites)
	if r.ring != nil {
		for _, e := range s.History {
			r.ring.Add(e)
		}
	}
	sessions := map[jid.JID]*occupants.Session{}
	for _, os := range s.Occupants {
		if err := r.restoreOccupant(os, sessions); err != nil {
			return fmt.Errorf("restore occupant %q of %s: %w", os.Nick, r.jid, err)
		}
	}
	for _, j := range s.Sessions {
		ss := sessions[j]
		if ss == nil || r.occupants.BySession(j) != nil {
			return fmt.Errorf("restore session %s of %s: it has no occupant or occurs twice", j, r.jid)
		}
		r.occupants.Attach(ss.Occupant, ss)
	}
	if len(s.Sessions) != len(sessions) {
		return fmt.Errorf("restore %s: %d sessions in order, %d of occupants", r.jid, len(s.Sessions), len(sessions))
	}
	return nil
}

// restoreOccupant adds an occupant. It only collects the occupant's sessions, because State.Sessions gives their order.
func (r *Room) restoreOccupant(os OccupantState, sessions map[jid.JID]*occupants.Session) error {
	address, err := r.jid.WithResource(os.Nick)
	switch {
	case err != nil:
		return err
	case os.ID == "" || os.Nick == "" || address.Resource() != os.Nick || r.occupants.ByID(os.ID) != nil || r.occupants.ByNick(os.Nick) != nil:
		return errors.New("the id or the nick is empty or taken")
	case os.Puppet == nil && len(os.Sessions) == 0:
		return errors.New("neither a puppet nor a session")
	case !os.Role.Valid() || os.Role == rules.RoleNone || !os.Affiliation.Valid():
		return errors.New("invalid role or affiliation")
	}
	o := r.occupants.Add(os.ID, os.Nick)
	o.Role, o.Affiliation = os.Role, os.Affiliation
	if os.Puppet != nil {
		m := *os.Puppet
		r.occupants.SetPuppet(o, &m)
	}
	for _, ss := range os.Sessions {
		if sessions[ss.JID] != nil {
			return fmt.Errorf("session %s occurs twice", ss.JID)
		}
		sessions[ss.JID] = &occupants.Session{
			JID: ss.JID, Occupant: o, Asked: ss.Asked, Extra: ss.Extra, Payload: ss.Payload, Show: ss.Show, Status: ss.Status, Versions: ss.Versions,
		}
	}
	return nil
}
