package room

import (
	"context"
	"errors"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// ErrHandled is returned by Owner.Allow and Owner.Query to say that the Owner does the rest
// itself, later: changes come through the methods of the Room, answers to a query are
// sent by the Owner.
var ErrHandled = errors.New("taken over by the owner of the room")

// Owner is whom the engine asks and tells. Its methods run in the goroutine that owns
// the room, with that room, so that one Owner can serve many. A *stanza.Error goes to the sender as it is; any other error is logged and
// becomes internal-server-error.
type Owner interface {
	// Enter tells whether a session may come in, and who it is here. It is not asked
	// for those whom the room's own list bans.
	Enter(ctx context.Context, r *Room, e EnterRequest) (Grant, error)

	// Message hands over what a session said to the room or, with To, to a network member
	// alone. For a groupchat message nil means that the Owner will call Broadcast (or
	// SetSubject where Subject is set) as soon as it is durable.
	Message(ctx context.Context, r *Room, m Message) error

	// Allow asks for leave to do what a session wants done. After nil the engine does it;
	// after ErrHandled the requester is told that it is done and the engine does nothing.
	Allow(ctx context.Context, r *Room, a Action) error

	// Query answers an IQ that the engine does not know: one for the room (To nil) or one
	// for a network member. A nil element is an empty result.
	Query(ctx context.Context, r *Room, q Query) (*stanza.Element, error)

	// Notify reports what has happened.
	Notify(ctx context.Context, r *Room, e Event)
}

// EnterRequest is a session that wants to come in.
type EnterRequest struct {
	Session     jid.JID
	Nick        string // as asked for
	Password    string
	Affiliation Affiliation // by the room's list; AffNone where it is not on it
	Presence    *stanza.Stanza
}

// Grant says who a session is in the room. The zero Grant leaves everything to the engine.
type Grant struct {
	// OccupantID is the stable id (XEP-0421), at most 128 bytes; "" lets the engine derive
	// one from the bare JID and the room's secret. The id of a network member makes the
	// session that member.
	OccupantID string
	// Nick is the nick assigned whatever was asked for, made unique by the engine.
	Nick        string
	Role        Role        // "" is the default for the affiliation
	Affiliation Affiliation // "" is what the room's list says
}

// Message is something said by a session.
type Message struct {
	From    Occupant
	Session jid.JID
	To      *Occupant // a private message; nil for the room
	// Stanza is the message with the header that it came with and a clean payload: no
	// stanza-id by this room, no occupant-id, nothing that only the room may say.
	Stanza  *stanza.Stanza
	Subject *string // the new subject, of a message that changes it
}

// Post is the message as Broadcast wants it; stanzaID "" makes a fresh one where the
// message is worth keeping.
func (m Message) Post(stanzaID string) Post {
	return Post{
		From: m.From.ID, Nick: m.From.Nick, ID: m.Stanza.ID, StanzaID: stanzaID, Lang: m.Stanza.Lang,
		Extra: m.Stanza.Extra, Payload: m.Stanza.Payload, Transient: Transient(m.Stanza),
	}
}

// ActionKind is what somebody wants to do.
type ActionKind string

// The actions that are asked for.
const (
	ActionNick        ActionKind = "nick"        // Value is the new nick of By
	ActionRole        ActionKind = "role"        // Target gets Role; RoleNone is a kick
	ActionAffiliation ActionKind = "affiliation" // JID, and Target where in the room, gets Affiliation
	ActionInvite      ActionKind = "invite"      // JID is invited, Reason
	ActionConfigure   ActionKind = "configure"   // Info and Config are the wished ones
	ActionModerate    ActionKind = "moderate"    // the message of stanza-id Value is taken away, Reason
	ActionDestroy     ActionKind = "destroy"     // JID is the alternate room, Reason
)

// Action is what a session wants to do to the room or to somebody in it. The engine has
// checked the rights by XEP-0045 before it asks.
type Action struct {
	Kind        ActionKind
	By          Occupant // zero ID where an owner acts from outside
	Session     jid.JID
	Target      *Occupant
	JID         jid.JID
	Role        Role
	Affiliation Affiliation
	Value       string
	Reason      string
	Info        *Info
	Config      *Config
}

// Query is an IQ request that the engine leaves to the Owner.
type Query struct {
	Stanza *stanza.Stanza
	From   *Occupant // who asks; nil where not in the room
	To     *Occupant // the network member who is asked; nil for the room
}

// EventKind is what has happened.
type EventKind string

// The events.
const (
	Entered        EventKind = "entered"         // Session came in
	Exited         EventKind = "exited"          // Session is out; Occupant.Sessions is what is left
	PresenceChange EventKind = "presence"        // Session's availability changed
	NickChange     EventKind = "nick"            // Occupant has another nick
	Declined       EventKind = "declined"        // JID declined the invitation of Session
	ConfigChange   EventKind = "configuration"   // Info, Config, subject or affiliations: Snapshot has them
	Destroyed      EventKind = "destroyed"       // the room is gone
	DeliveryFault  EventKind = "delivery-failed" // Session was removed because its server bounced
)

// Event is something that has happened in the room.
type Event struct {
	Kind     EventKind
	Occupant Occupant
	Session  jid.JID
	Presence *stanza.Stanza // of Entered, PresenceChange and, where it came by presence, Exited
	JID      jid.JID
	Reason   string
	At       time.Time
}
