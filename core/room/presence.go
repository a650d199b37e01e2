package room

import (
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// presenceChange is one change of an occupant's presence, to be announced to all sessions.
type presenceChange struct {
	typ     string // "" or unavailable
	role    Role   // "" is the occupant's
	codes   []int  // for all sessions
	self    []int  // for the occupant itself beside 110
	newNick string // with 303
	actor   string // nick of the occupant that caused it
	reason  string
	status  string          // of unavailable presence
	destroy *stanza.Element // of a destroyed room
	id      string          // id of the request, for the session that sent it
	except  *session        // gets its presence elsewhere
	by      *session        // the session that asked for the change
	real    jid.JID         // shown in place of the occupant's best session
}

// plain reports whether the cached payload can be used for n.
func (n *presenceChange) plain() bool {
	return n.typ == "" && n.role == "" && len(n.codes) == 0 && n.newNick == "" && n.reason == "" && n.actor == ""
}

// payload returns the payload of the presence of an occupant as others see it.
func (r *Room) payload(o *occupant, jids bool) string {
	i := 0
	if jids {
		i = 1
	}
	if o.presence[i] == "" {
		o.presence[i] = o.children() + stanza.Encode(occupantID(o.id), r.hatsOf(o), r.x(o, &presenceChange{}, jids, nil))
	}
	return o.presence[i]
}

// visible returns the presence payload that most sessions see of an occupant; a change is announced only if
// it differs. In a semi-anonymous room moderators therefore get no presence if only the real JID changes to that
// of another session of the same occupant.
func (r *Room) visible(o *occupant) string { return r.payload(o, r.config.NonAnonymous()) }

// render returns the payload of a presence that is not plain, or that is sent to the occupant itself.
func (r *Room) render(o *occupant, n *presenceChange, jids bool, codes []int) string {
	own := ""
	switch {
	case n.typ == "":
		own = o.children()
	case n.status != "":
		own = stanza.Encode(stanza.TextElement("", "status", n.status))
	}
	return own + stanza.Encode(occupantID(o.id), r.hatsOf(o), r.x(o, n, jids, codes))
}

// children returns the part of the presence that the client sent: show, status, capabilities and so on.
func (o *occupant) children() string {
	if s := o.bestSession(); s != nil {
		return s.payload
	}
	if o.puppet == nil {
		return ""
	}
	var list []*stanza.Element
	if o.puppet.Show != "" {
		list = append(list, stanza.TextElement("", "show", o.puppet.Show))
	}
	if o.puppet.Status != "" {
		list = append(list, stanza.TextElement("", "status", o.puppet.Status))
	}
	return stanza.Encode(append(list, o.puppet.Extra...)...)
}

func (o *occupant) extra() string {
	if s := o.bestSession(); s != nil {
		return s.extra
	}
	return ""
}

func occupantID(id string) *stanza.Element {
	return stanza.NewElement(NSOccupantID, "occupant-id").With("id", id)
}

// x returns the muc#user element of a presence (XEP-0045 §17.3).
func (r *Room) x(o *occupant, n *presenceChange, jids bool, codes []int) *stanza.Element {
	role := n.role
	if role == "" {
		role = o.role
	}
	item := stanza.NewElement(NSUser, "item").
		With("affiliation", string(o.aff)).With("role", string(role)).With("nick", n.newNick)
	if jids {
		real := n.real
		if real.IsZero() {
			real = o.realJID()
		}
		item.With("jid", real.String())
	}
	if n.actor != "" {
		item.Add(stanza.NewElement(NSUser, "actor").With("nick", n.actor))
	}
	if n.reason != "" {
		item.Add(stanza.TextElement(NSUser, "reason", n.reason))
	}
	x := stanza.NewElement(NSUser, "x").Add(item, n.destroy)
	for _, c := range n.codes {
		x.Add(status(c))
	}
	for _, c := range codes {
		x.Add(status(c))
	}
	return x
}

func status(code int) *stanza.Element {
	return stanza.NewElement(NSUser, "status").With("code", strconv.Itoa(code))
}

// seesJIDs reports whether a session sees the real JID of o.
func (r *Room) seesJIDs(s *session, o *occupant) bool {
	return r.config.NonAnonymous() || s.o == o || s.o.role == RoleModerator
}

// announce sends a change of o to every session: to the sessions of o last or, if o leaves,
// first (XEP-0045 §7.14, §8.2).
func (r *Room) announce(o *occupant, n presenceChange) {
	role := n.role
	if role == "" || role == RoleNone {
		role = o.role
	}
	if n.typ == stanza.TypeUnavailable {
		r.announceSelf(o, &n)
	}
	if r.config.Broadcasts(role) {
		r.announceOthers(o, &n)
	}
	if n.typ != stanza.TypeUnavailable {
		r.announceSelf(o, &n)
	}
}

func (r *Room) announceSelf(o *occupant, n *presenceChange) {
	for _, s := range o.sessions {
		if s != n.except {
			st := r.toSelf(s, n, append([]int{statusSelf}, n.self...))
			if s == n.by {
				st.ID = n.id
			}
			r.send(st)
		}
	}
}

// toSelf is presence of an occupant to one of its own sessions, with that session's own JID.
func (r *Room) toSelf(s *session, n *presenceChange, codes []int) *stanza.Stanza {
	own := *n
	own.real = s.jid
	st := &stanza.Stanza{Kind: stanza.Presence, To: s.jid, From: s.o.jid, Type: n.typ}
	if n.typ == "" {
		st.Extra = s.o.extra()
	}
	st.Payload = r.render(s.o, &own, true, codes)
	return st
}

// announceOthers sends a change of o to the other occupants. Consecutive sessions that get the same payload
// are served by one call of sendMany.
func (r *Room) announceOthers(o *occupant, n *presenceChange) {
	const skip = -1
	var made [2]*stanza.Stanza
	from, kind := 0, skip
	flush := func(to int) {
		if kind != skip && to > from {
			if made[kind] == nil {
				made[kind] = r.announcement(o, n, kind == 1)
			}
			r.sendMany(made[kind], r.addresses[from:to])
		}
	}
	for i, s := range r.receivers {
		k := 0
		switch {
		case s.o == o || s == n.except:
			k = skip
		case r.seesJIDs(s, o):
			k = 1
		}
		if k != kind {
			flush(i)
			from, kind = i, k
		}
	}
	flush(len(r.receivers))
}

// announcement is presence of an occupant for others, without a receiver.
func (r *Room) announcement(o *occupant, n *presenceChange, jids bool) *stanza.Stanza {
	st := &stanza.Stanza{Kind: stanza.Presence, From: o.jid, Type: n.typ}
	if n.typ == "" {
		st.Extra = o.extra()
	}
	if n.plain() {
		st.Payload = r.payload(o, jids)
	} else {
		st.Payload = r.render(o, n, jids, nil)
	}
	return st
}

// announceChange is announce for a change of role: sessions that may see the old role but not the new one
// get unavailable presence (muc#roomconfig_presencebroadcast).
func (r *Room) announceChange(o *occupant, before Role, n presenceChange) {
	if before != "" && r.config.Broadcasts(before) && !r.config.Broadcasts(o.role) {
		gone := n
		gone.typ = stanza.TypeUnavailable
		r.announceOthers(o, &gone)
	}
	r.announce(o, n)
}

// keepPresence stores the last presence of a session, without the children that only the room may add.
func (r *Room) keepPresence(s *session, st *stanza.Stanza) {
	clean := st.Without(reservedInPresence)
	s.payload, s.extra = clean.Payload, clean.Extra
	s.show, s.status = st.Tree().ChildText("", "show"), st.Tree().ChildText("", "status")
	switch s.show {
	case "", "away", "chat", "dnd", "xa":
	default:
		s.show = ""
	}
	if len(s.payload)+len(s.extra) > r.limits.Presence {
		s.extra, s.payload = "", ""
		s.status = truncate(s.status, r.limits.Presence/8)
		if s.show != "" {
			s.payload = stanza.Encode(stanza.TextElement("", "show", s.show))
		}
		if s.status != "" {
			s.payload += stanza.Encode(stanza.TextElement("", "status", s.status))
		}
	}
	s.o.dropCache()
}

// reservedInPresence reports whether e is not passed on in presence: data that only the room adds (XEP-0045 §17.3),
// and the request to enter, which may contain a password.
func reservedInPresence(e *stanza.Element) bool {
	switch e.Space {
	case NS, NSUser, NSAdmin, NSOwner, NSOccupantID, NSHats, message.NSDelay, message.NSOldDelay, nsAddress:
		return true
	case message.NSStanzaID:
		return e.Local == "stanza-id"
	}
	return strings.HasPrefix(e.Space, NS+"#")
}
