package visits

import (
	"maps"
	"time"

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
	roles   map[string]rules.Role // of those who have left, where it is not the default
	spoken  map[string]time.Time  // last message, while slow mode is on
	asked   map[string]time.Time  // last voice request
	changes map[string]changes
}

// changes counts the changes of somebody's presence.
type changes struct {
	since time.Time
	n     int
}

// New returns what a new room remembers.
func New() *Visits {
	return &Visits{
		roles: map[string]rules.Role{}, spoken: map[string]time.Time{}, asked: map[string]time.Time{}, changes: map[string]changes{},
	}
}

// Roles returns a copy of the remembered roles.
func (v *Visits) Roles() map[string]rules.Role { return maps.Clone(v.roles) }

// Restore adds roles that another process has remembered.
func (v *Visits) Restore(roles map[string]rules.Role) { maps.Copy(v.roles, roles) }

// ForgetRoles forgets all roles.
func (v *Visits) ForgetRoles() { clear(v.roles) }

// Leave remembers the role of somebody who leaves: a visitor stays one, and one who was given voice keeps it (XEP-0045 §5.1).
func (v *Visits) Leave(id string, had, usual rules.Role) {
	delete(v.roles, id)
	if had != usual && (had == rules.RoleVisitor || had == rules.RoleParticipant) && len(v.roles) < maxRemembered {
		v.roles[id] = had
	}
}

// RoleOnEntry returns the role of somebody who enters.
func (v *Visits) RoleOnEntry(id string, aff rules.Affiliation, moderated bool) rules.Role {
	if had, ok := v.roles[id]; ok && !aff.AtLeast(rules.AffAdmin) && (moderated || had == rules.RoleVisitor) {
		return had
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
