package occupants

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/hats"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// MaxID is the longest occupant id in bytes (XEP-0421 §4.1).
const MaxID = 128

// Occupant is a puppet, sessions of one person, or both.
type Occupant struct {
	ID          string // XEP-0421
	Nick        string
	JID         jid.JID // room/nick
	Role        rules.Role
	Affiliation rules.Affiliation
	Puppet      *Puppet    // changed by SetPuppet
	Sessions    []*Session // changed by Attach and Detach
	// presence caches the payload of presence, without and with the real JID; "" is not made yet.
	presence [2]string
}

// Session is one XMPP session in the room.
type Session struct {
	JID      jid.JID
	Occupant *Occupant
	Asked    string // the nick asked for on entering
	Extra    string // start tag attributes of its last presence
	Payload  string // children of its last presence, cleaned
	Show     string
	Status   string
	Versions bool // gets the versions of the affiliations (XEP-0463)

	at int // index in List.sessions
}

// Puppet is a remote person who is an occupant without an XMPP session.
type Puppet struct {
	ID   string // stable occupant id of 1 to 128 bytes
	Nick string // display name; the engine cleans it and makes it unique
	JID  jid.JID
	// Role and Affiliation; "" is participant and none.
	Role        rules.Role
	Affiliation rules.Affiliation
	Show        string // away, chat, dnd, xa; "" is available
	Status      string
	Hats        []hats.Hat
	Extra       []*stanza.Element // further children of the presence, such as vcard-temp:x:update
}

// BestSession returns the most available session, the first of equally available ones, or nil.
func (o *Occupant) BestSession() *Session {
	var best *Session
	for _, s := range o.Sessions {
		if best == nil || availability(s.Show) > availability(best.Show) {
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

// RealJID returns the JID that is shown to sessions that may see real JIDs (XEP-0045 §17.3: a full JID of a session).
func (o *Occupant) RealJID() jid.JID {
	if s := o.BestSession(); s != nil {
		return s.JID
	}
	if o.Puppet != nil {
		return o.Puppet.JID
	}
	return jid.JID{}
}

// BareJID returns the JID that affiliations belong to; zero where the occupant has none.
func (o *Occupant) BareJID() jid.JID {
	if len(o.Sessions) > 0 {
		return o.Sessions[0].JID.Bare()
	}
	if o.Puppet != nil && !o.Puppet.JID.IsZero() {
		return o.Puppet.JID.Bare()
	}
	return jid.JID{}
}

// SetRole changes the role. The caller announces the change.
func (o *Occupant) SetRole(role rules.Role) {
	o.Role = role
	if o.Puppet != nil {
		o.Puppet.Role = role
	}
	o.Changed()
}

// SetAffiliation changes the affiliation. The caller announces the change.
func (o *Occupant) SetAffiliation(a rules.Affiliation) {
	o.Affiliation = a
	if o.Puppet != nil {
		o.Puppet.Affiliation = a
	}
	o.Changed()
}

// Changed must be called after a change of anything that presence shows.
func (o *Occupant) Changed() { o.presence = [2]string{} }
