package occupants

import (
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/room/hats"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Change is one change of an occupant's presence, to be announced to all sessions.
type Change struct {
	Type    string     // "" or unavailable
	Role    rules.Role // "" is the occupant's
	Codes   []int      // for all sessions
	Self    []int      // for the occupant itself beside 110
	NewNick string     // with 303
	Actor   string     // nick of the occupant that caused it
	Reason  string
	Status  string          // of unavailable presence
	Destroy *stanza.Element // of a destroyed room
	Version *stanza.Element // of the affiliations (XEP-0463)
	ID      string          // id of the request, for the session that sent it
	Except  *Session        // gets its presence elsewhere
	By      *Session        // the session that asked for the change
	real    jid.JID         // shown in place of the occupant's best session
}

// plain reports whether the cached payload can be used for n.
func (n *Change) plain() bool {
	return n.Type == "" && n.Role == "" && len(n.Codes) == 0 && n.NewNick == "" && n.Reason == "" && n.Actor == "" && n.Version == nil
}

// Payload returns the payload of the presence of an occupant as others see it.
func (l *List) Payload(o *Occupant, jids bool) string {
	i := 0
	if jids {
		i = 1
	}
	if o.presence[i] == "" {
		o.presence[i] = o.children() + stanza.Encode(muc.OccupantID(o.ID), l.hatsOf(o), l.x(o, &Change{}, jids, nil))
	}
	return o.presence[i]
}

// Visible returns the presence payload that most sessions see of an occupant; a change is announced only if
// it differs. In a semi-anonymous room moderators therefore get no presence if only the real JID changes to that
// of another session of the same occupant.
func (l *List) Visible(o *Occupant) string { return l.Payload(o, l.Config.NonAnonymous()) }

// render returns the payload of a presence that is not plain, or that is sent to the occupant itself.
func (l *List) render(o *Occupant, n *Change, jids bool, codes []int) string {
	own := ""
	switch {
	case n.Type == "":
		own = o.children()
	case n.Status != "":
		own = stanza.Encode(stanza.TextElement("", "status", n.Status))
	}
	return own + stanza.Encode(muc.OccupantID(o.ID), l.hatsOf(o), l.x(o, n, jids, codes))
}

// children returns the part of the presence that the client sent: show, status, capabilities and so on.
func (o *Occupant) children() string {
	if s := o.BestSession(); s != nil {
		return s.Payload
	}
	if o.Puppet == nil {
		return ""
	}
	var list []*stanza.Element
	if o.Puppet.Show != "" {
		list = append(list, stanza.TextElement("", "show", o.Puppet.Show))
	}
	if o.Puppet.Status != "" {
		list = append(list, stanza.TextElement("", "status", o.Puppet.Status))
	}
	return stanza.Encode(append(list, o.Puppet.Extra...)...)
}

// Extra returns the attributes of the start tag of the presence.
func (o *Occupant) Extra() string {
	if s := o.BestSession(); s != nil {
		return s.Extra
	}
	return ""
}

// x returns the muc#user element of a presence (XEP-0045 §17.3).
func (l *List) x(o *Occupant, n *Change, jids bool, codes []int) *stanza.Element {
	role := n.Role
	if role == "" {
		role = o.Role
	}
	item := stanza.NewElement(muc.NSUser, "item").
		With("affiliation", string(o.Affiliation)).With("role", string(role)).With("nick", n.NewNick)
	if jids {
		real := n.real
		if real.IsZero() {
			real = o.RealJID()
		}
		item.With("jid", real.String())
	}
	if n.Actor != "" {
		item.Add(stanza.NewElement(muc.NSUser, "actor").With("nick", n.Actor))
	}
	if n.Reason != "" {
		item.Add(stanza.TextElement(muc.NSUser, "reason", n.Reason))
	}
	x := stanza.NewElement(muc.NSUser, "x").Add(n.Version, item, n.Destroy)
	for _, c := range n.Codes {
		x.Add(muc.Status(c))
	}
	for _, c := range codes {
		x.Add(muc.Status(c))
	}
	return x
}

// KeepPresence stores the last presence of a session, without the children that only the room may add.
func (l *List) KeepPresence(s *Session, st *stanza.Stanza) {
	clean := st.Without(reservedInPresence)
	s.Payload, s.Extra = clean.Payload, clean.Extra
	s.Show, s.Status = st.Tree().ChildText("", "show"), st.Tree().ChildText("", "status")
	switch s.Show {
	case "", "away", "chat", "dnd", "xa":
	default:
		s.Show = ""
	}
	if len(s.Payload)+len(s.Extra) > l.Limits.Presence {
		s.Extra, s.Payload = "", ""
		s.Status = rules.Truncate(s.Status, l.Limits.Presence/8)
		if s.Show != "" {
			s.Payload = stanza.Encode(stanza.TextElement("", "show", s.Show))
		}
		if s.Status != "" {
			s.Payload += stanza.Encode(stanza.TextElement("", "status", s.Status))
		}
	}
	s.Occupant.Changed()
}

// reservedInPresence reports whether e is not passed on in presence: data that only the room adds (XEP-0045 §17.3),
// and the request to enter, which may contain a password.
func reservedInPresence(e *stanza.Element) bool {
	switch e.Space {
	case muc.NS, muc.NSUser, muc.NSAdmin, muc.NSOwner, muc.NSOccupantID, hats.NS, message.NSDelay, message.NSOldDelay, muc.NSAddress:
		return true
	case message.NSStanzaID:
		return e.Local == "stanza-id"
	}
	return strings.HasPrefix(e.Space, muc.NS+"#")
}

// hatsOf returns the element of an occupant's presence, nil if it wears none.
func (l *List) hatsOf(o *Occupant) *stanza.Element {
	list := l.Hats.Of(o.BareJID())
	if o.Puppet != nil {
		list = append(slices.Clone(o.Puppet.Hats), list...)
	}
	return hats.Element(list)
}
