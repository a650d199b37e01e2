package room

import (
	"time"

	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// rememberRole keeps the role of an occupant who leaves (XEP-0045 §5.1).
func (r *Room) rememberRole(o *occupants.Occupant) {
	if o.Puppet == nil {
		r.visits.Leave(o.ID, o.BareJID(), o.Role, rules.DefaultRole(o.Affiliation, r.config.Moderated))
	}
}

// mayChangePresence refuses one change too many of an occupant's presence: each is sent to everybody in the room (XEP-0045 §14.6).
func (r *Room) mayChangePresence(id string) error {
	if !r.visits.MayChange(id, r.now(), r.limits.Changes) {
		return stanza.ResourceConstraint("You change your presence too often. Wait some seconds.")
	}
	return nil
}

// slowMode returns how long an occupant must wait after another message before this one; 0 if it need not (XEP-0500 §6).
func (r *Room) slowMode(o *occupants.Occupant, st *stanza.Stanza) time.Duration {
	if r.config.SlowMode <= 0 || o.Affiliation.AtLeast(rules.AffAdmin) || st.Child("", "body") == nil {
		return 0
	}
	return time.Duration(r.config.SlowMode) * time.Second
}

// tooSoon is the error for a message that comes before the time of slowMode.
func (r *Room) tooSoon() error {
	e := stanza.PolicyViolation("This room is in slow mode: wait " + stanza.Thousands(r.config.SlowMode) + " seconds between messages.")
	e.Type = "wait"
	return e
}
