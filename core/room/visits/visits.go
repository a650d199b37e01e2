package visits

import (
	"maps"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/rules"
)

// Limits of what is remembered and of how often somebody may do something.
const (
	maxRemembered = 4096             // people of each kind
	window        = 10 * time.Second // in which the number of changes of presence is limited
	askInterval   = time.Minute      // between two voice requests of one person
)

// Visits is what a room remembers of people, by occupant id (XEP-0421).
type Visits struct {
	roles   map[string]Kept      // where it is not the default
	spoken  map[string]time.Time // last message, while slow mode is on
	asked   map[string]time.Time // last voice request
	changes map[string]changes
}

// Kept is the role that somebody has when they enter again, by their occupant id.
type Kept struct {
	JID  jid.JID // bare
	Role rules.Role
}

// changes counts the changes of somebody's presence.
type changes struct {
	since time.Time
	n     int
}

// New returns what a new room remembers.
func New() *Visits {
	return &Visits{
		roles: map[string]Kept{}, spoken: map[string]time.Time{}, asked: map[string]time.Time{}, changes: map[string]changes{},
	}
}

// Roles returns a copy of the remembered roles, by occupant id.
func (v *Visits) Roles() map[string]Kept { return maps.Clone(v.roles) }

// Restore adds roles that were stored, or that another process has remembered.
func (v *Visits) Restore(roles map[string]Kept) { maps.Copy(v.roles, roles) }

// Decide returns what a decision of a moderator about a role is worth remembering: the zero Kept where the role is the usual one. changed is
// false if that is known already, or too much is remembered.
func (v *Visits) Decide(id string, who jid.JID, to, usual rules.Role) (k Kept, changed bool) {
	if to != usual && (to == rules.RoleVisitor || to == rules.RoleParticipant) {
		k = Kept{who, to}
	}
	old, known := v.roles[id]
	if to == rules.RoleNone { // a kick ends the voice that was given, but does not give the one that was taken
		return Kept{}, old.Role == rules.RoleParticipant
	}
	return k, old != k && (known || len(v.roles) < maxRemembered)
}

// Keep remembers a role; the zero Kept forgets it.
func (v *Visits) Keep(id string, k Kept) {
	if k.Role == "" {
		delete(v.roles, id)
		return
	}
	v.roles[id] = k
}

// Of returns the occupant ids under which roles of an address are remembered.
func (v *Visits) Of(who jid.JID) (ids []string) {
	for id, k := range v.roles {
		if k.JID == who {
			ids = append(ids, id)
		}
	}
	return ids
}

// ForgetRoles forgets all roles.
func (v *Visits) ForgetRoles() { clear(v.roles) }

// Leave remembers the role of somebody who leaves: a visitor stays one, and one who was given voice keeps it (XEP-0045 §5.1).
func (v *Visits) Leave(id string, who jid.JID, had, usual rules.Role) {
	if k, changed := v.Decide(id, who, had, usual); changed {
		v.Keep(id, k)
	}
}

// RoleOnEntry returns the role of somebody who enters.
func (v *Visits) RoleOnEntry(id string, aff rules.Affiliation, moderated bool) rules.Role {
	if kept, ok := v.roles[id]; ok && !aff.AtLeast(rules.AffAdmin) && (moderated || kept.Role == rules.RoleVisitor) {
		return kept.Role
	}
	return rules.DefaultRole(aff, moderated)
}

// MayChange counts a change of somebody's presence and reports whether it is one of the first most in the window.
func (v *Visits) MayChange(id string, now time.Time, most int) bool {
	if len(v.changes) >= maxRemembered {
		maps.DeleteFunc(v.changes, func(_ string, c changes) bool { return now.Sub(c.since) >= window })
	}
	c, known := v.changes[id]
	if now.Sub(c.since) >= window {
		c = changes{since: now}
	}
	if c.n >= most {
		return false
	}
	c.n++
	if known || len(v.changes) < 4*maxRemembered {
		v.changes[id] = c
	}
	return true
}

// MaySpeak reports whether the wait since somebody's last message is over (XEP-0500 §6).
func (v *Visits) MaySpeak(id string, now time.Time, wait time.Duration) bool {
	last, ok := v.spoken[id]
	return !ok || now.Sub(last) >= wait
}

// Spoke notes that somebody has spoken, for MaySpeak.
func (v *Visits) Spoke(id string, now time.Time, wait time.Duration) { note(v.spoken, id, now, wait) }

// MayAsk notes a voice request, and reports whether it does not follow the last one too soon.
func (v *Visits) MayAsk(id string, now time.Time) bool {
	if last, ok := v.asked[id]; ok && now.Sub(last) < askInterval {
		return false
	}
	note(v.asked, id, now, askInterval)
	return true
}

// note sets a time in a list of bounded size; times that are not useful any longer are dropped first.
func note(list map[string]time.Time, id string, now time.Time, useful time.Duration) {
	if len(list) >= maxRemembered {
		maps.DeleteFunc(list, func(_ string, at time.Time) bool { return now.Sub(at) >= useful })
	}
	if len(list) < 4*maxRemembered {
		list[id] = now
	}
}
