package occupants

import (
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// SeesJIDs reports whether a session sees the real JID of o.
func (l *List) SeesJIDs(s *Session, o *Occupant) bool {
	return l.Config.NonAnonymous() || s.Occupant == o || s.Occupant.Role == rules.RoleModerator
}

// Announce sends a change of o to every session: to the sessions of o last or, if o leaves,
// first (XEP-0045 §7.14, §8.2).
func (l *List) Announce(o *Occupant, n Change) {
	role := n.Role
	if role == "" || role == rules.RoleNone {
		role = o.Role
	}
	if n.Type == stanza.TypeUnavailable {
		l.announceSelf(o, &n)
	}
	if l.Config.Broadcasts(role) {
		l.announceOthers(o, &n)
	}
	if n.Type != stanza.TypeUnavailable {
		l.announceSelf(o, &n)
	}
}

func (l *List) announceSelf(o *Occupant, n *Change) {
	for _, s := range o.Sessions {
		if s != n.Except {
			st := l.ToSelf(s, n, append([]int{muc.StatusSelf}, n.Self...))
			if s == n.By {
				st.ID = n.ID
			}
			l.Send(st)
		}
	}
}

// ToSelf is presence of an occupant to one of its own sessions, with that session's own JID.
func (l *List) ToSelf(s *Session, n *Change, codes []int) *stanza.Stanza {
	own := *n
	own.real = s.JID
	st := &stanza.Stanza{Kind: stanza.Presence, To: s.JID, From: s.Occupant.JID, Type: n.Type}
	if n.Type == "" {
		st.Extra = s.Occupant.Extra()
	}
	st.Payload = l.render(s.Occupant, &own, true, codes)
	return st
}

// announceOthers sends a change of o to the other occupants. Consecutive sessions that get the same payload
// are served by one call of SendMany.
func (l *List) announceOthers(o *Occupant, n *Change) {
	const skip = -1
	var made [2]*stanza.Stanza
	from, kind := 0, skip
	flush := func(to int) {
		if kind != skip && to > from {
			if made[kind] == nil {
				made[kind] = l.announcement(o, n, kind == 1)
			}
			l.SendMany(made[kind], l.receivers[from:to])
		}
	}
	for i, s := range l.sessions {
		k := 0
		switch {
		case s.Occupant == o || s == n.Except:
			k = skip
		case l.SeesJIDs(s, o):
			k = 1
		}
		if k != kind {
			flush(i)
			from, kind = i, k
		}
	}
	flush(len(l.sessions))
}

// announcement is presence of an occupant for others, without a receiver.
func (l *List) announcement(o *Occupant, n *Change, jids bool) *stanza.Stanza {
	st := &stanza.Stanza{Kind: stanza.Presence, From: o.JID, Type: n.Type}
	if n.Type == "" {
		st.Extra = o.Extra()
	}
	if n.plain() {
		st.Payload = l.Payload(o, jids)
	} else {
		st.Payload = l.render(o, n, jids, nil)
	}
	return st
}

// AnnounceChange is Announce for a change of role: sessions that may see the old role but not the new one
// get unavailable presence (muc#roomconfig_presencebroadcast).
func (l *List) AnnounceChange(o *Occupant, before rules.Role, n Change) {
	if before != "" && l.Config.Broadcasts(before) && !l.Config.Broadcasts(o.Role) {
		gone := n
		gone.Type = stanza.TypeUnavailable
		l.announceOthers(o, &gone)
	}
	l.Announce(o, n)
}
