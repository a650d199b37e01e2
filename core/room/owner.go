package room

import (
	"context"
	"errors"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// ErrHandled is returned by Owner.Allow if the Owner carries out the action itself, later, with the methods
// of the Room, and by Owner.Query if the Owner sends the answer itself.
var ErrHandled = errors.New("handled by the owner of the room")

// Owner makes the decisions for a room and receives its messages and events. Its methods run in the goroutine
// that owns the room. They get the room, so that one Owner can serve many. A *stanza.Error
// is sent to the sender unchanged; any other error is logged and becomes internal-server-error.
type Owner interface {
	// Enter decides whether a session may enter and which occupant it is. It is not called
	// for a JID that the room's own list bans.
	Enter(ctx context.Context, r *Room, e EnterRequest) (Grant, error)

	// Message receives a message that a session sent to the room or, with To, to a puppet
	// alone. For a groupchat message nil means that the Owner will call Broadcast (or
	// SetSubject if Subject is set) as soon as the message is durable.
	Message(ctx context.Context, r *Room, m Message) error

	// Allow decides whether an action of a session is allowed. After nil the Room carries it out;
	// after ErrHandled the requester gets a result and the Room does nothing.
	Allow(ctx context.Context, r *Room, a Action) error

	// Query answers an IQ that the Room does not handle: one to the room (To nil) or one
	// to a puppet. A nil element means an empty result.
	Query(ctx context.Context, r *Room, q Query) (*stanza.Element, error)

	// Notify reports an event after it has happened.
	Notify(ctx context.Context, r *Room, e Event)
}

// EnterRequest is the request of a session to enter.
type EnterRequest struct {
	Session     jid.JID
	Nick        string // as asked for
	Password    string
	Affiliation rules.Affiliation // by the room's list; AffNone where it is not on it
	Presence    *stanza.Stanza
}

// Grant says which occupant an entering session belongs to. The zero Grant means the defaults of the Room.
type Grant struct {
	// OccupantID is the stable id (XEP-0421), at most 128 bytes; "" lets the engine derive
	// one from the bare JID and the room's secret. With the id of a puppet the session
	// joins that occupant.
	OccupantID string
	// Nick replaces the nick that was asked for; the engine makes it unique.
	Nick        string
	Role        rules.Role        // "" is the default for the affiliation
	Affiliation rules.Affiliation // "" is that of the room's list
}

// Message is a message that a session sent.
type Message struct {
	From    Occupant
	Session jid.JID
	To      *Occupant // a private message; nil for the room
	// Stanza is the message with its own header and a cleaned payload: no
	// stanza-id by this room, no occupant-id, nothing that only the room may add.
	Stanza  *stanza.Stanza
	Subject *string // the new subject, of a message that changes it
}

// Post returns the message as the argument of Broadcast; stanzaID "" creates an id unless the
// message is transient.
func (m Message) Post(stanzaID string) Post {
	return Post{
		From: m.From.ID, Nick: m.From.Nick, ID: m.Stanza.ID, StanzaID: stanzaID, Lang: m.Stanza.Lang,
		Extra: m.Stanza.Extra, Payload: m.Stanza.Payload, Transient: message.Transient(m.Stanza),
	}
}

// ActionKind is the kind of an Action.
type ActionKind string

// The kinds of actions.
const (
	ActionNick        ActionKind = "nick"        // Value is the new nick of By
	ActionRole        ActionKind = "role"        // Target gets Role; RoleNone is a kick
	ActionAffiliation ActionKind = "affiliation" // JID, and Target where in the room, gets Affiliation
	ActionInvite      ActionKind = "invite"      // JID is invited, Reason
	ActionConfigure   ActionKind = "configure"   // Info and Config are the new ones
	ActionModerate    ActionKind = "moderate"    // the message of stanza-id Value is retracted, Reason
	ActionDestroy     ActionKind = "destroy"     // JID is the alternate room, Value its password, Reason
	ActionPrivate     ActionKind = "private"     // By sends Target, who has sessions here, a private message
	ActionRegister    ActionKind = "register"    // JID, which is By's, becomes a member or reserves the nick Value; AffNone ends it
)

// Action is a change of the room or of an occupant that a session requests. The Room has already
// checked the rights of XEP-0045.
type Action struct {
	Kind        ActionKind
	By          Occupant // zero ID where an owner or admin is not in the room
	Session     jid.JID
	Target      *Occupant
	JID         jid.JID
	Role        rules.Role
	Affiliation rules.Affiliation
	Value       string
	NoNick      bool // the reserved nick of JID is removed
	Reason      string
	Info        *rules.Info
	Config      *rules.Config
}

// Query is an IQ request that the engine passes to the Owner.
type Query struct {
	Stanza *stanza.Stanza
	From   *Occupant // the sender; nil where it is not in the room
	To     *Occupant // the puppet that is asked; nil for the room
}

// EventKind is the kind of an Event.
type EventKind string

// The events.
const (
	Entered        EventKind = "entered"         // Session has entered
	Exited         EventKind = "exited"          // Session has left; Occupant.Sessions are those that remain
	PresenceChange EventKind = "presence"        // Session's availability changed
	NickChange     EventKind = "nick"            // Occupant has another nick
	Declined       EventKind = "declined"        // JID declined the invitation of Session
	ConfigChange   EventKind = "configuration"   // Info, Config, subject or affiliations: Snapshot has them
	Destroyed      EventKind = "destroyed"       // the room does not exist any longer
	DeliveryFault  EventKind = "delivery-failed" // Session was removed since a stanza to it was returned as an error
)

// Event is something that has happened in a room.
type Event struct {
	Kind     EventKind
	Occupant Occupant
	Session  jid.JID
	Presence *stanza.Stanza // of Entered, PresenceChange and, where the session sent one, Exited
	JID      jid.JID
	Reason   string
	At       time.Time
}
