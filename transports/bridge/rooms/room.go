package rooms

import (
	"context"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	corerooms "github.com/dragoman-im/dragoman/core/rooms"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/conversation"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Outbox accepts the messages that sessions send to a room.
type Outbox interface {
	// Send takes a message to the room. Once it is durable it is shown to the room.
	Send(ctx context.Context, l *logins.Login, m room.Message) error
	// Empty reports whether nothing waits to become durable.
	Empty() bool
}

// Room is the room of one conversation. For a direct chat it has nothing to do.
type Room struct {
	rooms     *Rooms
	conv      *conversation.Conversation
	outbox    Outbox
	jid       jid.JID
	entry     *corerooms.Entry             // nil until the first stanza for the room
	occupants map[string]transports.UserID // network members, by occupant id
	rights
	looks     looks
	viewers   map[transports.LoginID]bool  // logins that are known to see the room
	confirmed map[transports.LoginID]int   // logins that the network has confirmed to be in the room, with Login.Gaps at that time
	entering  map[jid.JID][]*stanza.Stanza // of sessions that wait for the network, in order
	listing   *listing                     // of members, while it is under way
	version   int64                        // changes when others may be in the room than before
	guests    []string                     // people of linked rooms, by occupant id; the last to write is the last
}

// rights are what people may do in the room.
type rights struct {
	ranks   map[transports.UserID]rank
	readers map[transports.UserID]bool // people with a login who may not write
}

// Room makes the room of a conversation; Connect has to be called before its use.
func (r *Rooms) Room(c *conversation.Conversation) *Room { return &Room{rooms: r, conv: c} }

// Connect gives the outbox of the conversation.
func (r *Room) Connect(o Outbox) { r.outbox = o }

// Load is called when the row of the conversation was read.
func (r *Room) Load() {
	r.viewers, r.ranks, r.looks, r.confirmed = nil, nil, looks{}, nil
	r.version = r.rooms.env.Next()
	if r.conv.Exists() && !r.conv.Direct() && r.conv.Row.Key != "" {
		r.rooms.opened(r)
	}
}

// Close drops the room from memory.
func (r *Room) Close() {
	if r.entry != nil {
		r.entry.Close()
	}
	r.rooms.closed(r)
}

// Disposable reports whether nobody is in the room or about to enter it.
func (r *Room) Disposable() bool {
	return (r.entry == nil || r.entry.Loaded() == nil) && len(r.entering) == 0
}

// Handle takes a stanza that is addressed to the room or to an occupant.
func (r *Room) Handle(ctx context.Context, st *stanza.Stanza) {
	switch waiting, enters := r.entering[st.From]; {
	case r.conv.Direct() || r.conv.Row.Key == "":
		r.rooms.env.Send(st.ErrorReply(stanza.ItemNotFound("")))
	case enters && len(waiting) >= maxEntering:
		r.rooms.env.Send(st.ErrorReply(stanza.ResourceConstraint("Please wait until you are in the room.")))
	case enters:
		r.entering[st.From] = append(waiting, st)
	case !r.prepare(ctx, st):
		r.handle(ctx, st)
	}
}

func (r *Room) handle(ctx context.Context, st *stanza.Stanza) {
	if e := r.refusal(st); e != nil {
		if l, _ := r.loginOf(ctx, st.From); l != nil { // to others the room does not exist
			r.Send(muc.ErrorReply(st, e))
			return
		}
	}
	if r.entry == nil {
		r.entry = r.rooms.service.NewEntry(r.jid)
	}
	r.entry.Handle(ctx, st)
}

// Engine returns the core/room state of the room; nil while no session is in it.
func (r *Room) Engine() *room.Room {
	if r.entry == nil {
		return nil
	}
	return r.entry.Loaded()
}

// Flush sends the stanzas that the room has collected for its sessions.
func (r *Room) Flush() {
	if r.entry != nil {
		r.entry.Flush()
	}
}

// EndRound drops the engine where the last session has left, and sends what was collected.
func (r *Room) EndRound() {
	if e := r.Engine(); e != nil && e.Sessions() == 0 && r.outbox.Empty() {
		r.entry.Close()
		r.occupants, r.guests = nil, nil
	}
	r.Flush()
}

// open gives core/room what the room is opened with.
func (r *Room) open(ctx context.Context) corerooms.Opened {
	row := r.conv.Row
	r.occupants = map[string]transports.UserID{}
	known, err := r.rooms.store.RoomMembers(ctx, r.conv.ID, r.rooms.env.Settings.Members)
	if err != nil {
		r.rooms.env.Log.Error("reading a room's members", "room", row.Net, "error", err)
	}
	members := make([]occupants.Puppet, len(known))
	for i, u := range known {
		members[i] = r.member(u, "")
	}
	return corerooms.Opened{
		Owner: r, History: archived{r}, Puppets: members,
		Snapshot: &room.Snapshot{Info: r.info(), Config: r.config(), Subject: room.Subject{Text: row.Topic, At: row.LastAt}},
	}
}

func (r *Room) info() rules.Info {
	return rules.Info{
		Name: convert.RoomTitle(r.conv.Row), Description: r.conv.Row.Topic, Occupants: r.conv.Row.Members,
		Features: append(roomArchive.Features(true), convert.NSVCard), More: r,
	}
}

func (r *Room) config() rules.Config {
	return rules.Config{
		Listed: r.conv.Row.Kind == transports.Public, Persistent: true, MembersOnly: true, Moderated: true,
		WhoIs: rules.WhoIsAnyone, OccupantsMaySubject: r.rooms.env.Info.Caps.CanChange(transports.ChangeTopic), Pubsub: r.space(),
	}
}

// loginOf is the login by which a user sees the room; nil where none does. Whether a login that has to be linked
// again still sees a private room is not known: the account may have been closed.
func (r *Room) loginOf(ctx context.Context, who jid.JID) (*logins.Login, tables.Visibility) {
	seen, err := r.rooms.store.RoomLogins(ctx, r.conv.ID)
	if err != nil {
		r.rooms.env.Log.Error("reading who sees a room", "room", r.conv.Row.Net, "error", err)
		return nil, tables.Visibility{}
	}
	if r.conv.Row.Kind == transports.Private {
		seen = slices.DeleteFunc(seen, func(v tables.Visibility) bool {
			l := r.rooms.logins.ByID(v.Login)
			return l == nil || !l.Linked()
		})
	}
	return ownerOf(r.rooms.logins, who, seen)
}

// Send sends something to one session, behind what the room has for it already.
func (r *Room) Send(st *stanza.Stanza) {
	r.Flush()
	r.rooms.env.Send(st)
}

// Broadcast shows a message to those in the room.
func (r *Room) Broadcast(p room.Post) {
	if e := r.Engine(); e != nil {
		e.Broadcast(p)
	}
}

// Reread reads the row of the room again, which others than its goroutine have changed, and shows those in the room another name or topic.
func (r *Room) Reread(ctx context.Context) {
	row, ok, err := r.rooms.store.RoomByID(ctx, r.conv.ID)
	if err != nil || !ok || !r.conv.Exists() {
		if err != nil {
			r.rooms.env.Log.Error("reading the row of a room", "room", r.conv.Row.Net, "error", err)
		}
		return
	}
	topic := r.conv.Row.Topic
	r.conv.Row.Name, r.conv.Row.Topic, r.conv.Row.Space, r.conv.Row.Group = row.Name, row.Topic, row.Space, row.Group
	r.SetInfo(ctx)
	if row.Topic != topic {
		r.SetSubject(ctx, "")
	}
}

// SetSubject shows a new subject to those in the room; by may be "".
func (r *Room) SetSubject(ctx context.Context, by transports.UserID) {
	e := r.Engine()
	if e == nil {
		return
	}
	subject := room.Subject{Text: r.conv.Row.Topic}
	if by != "" {
		subject.OccupantID = r.rooms.address.Occupant(by, "")
		subject.Nick = convert.DisplayName(r.rooms.people.Find(ctx, by, ""))
	}
	if err := e.SetSubject(ctx, subject, "", ""); err != nil {
		r.rooms.env.Log.Warn("showing the subject of a room", "room", r.conv.Row.Net, "error", err)
	}
}

// SetInfo shows a new name and description to those in the room.
func (r *Room) SetInfo(ctx context.Context) {
	if e := r.Engine(); e != nil {
		if err := e.SetInfo(ctx, r.info()); err != nil {
			r.rooms.env.Log.Warn("showing the name of a room", "room", r.conv.Row.Net, "error", err)
		}
	}
}

// SessionsOf are the sessions of a user that are in the room.
func (r *Room) SessionsOf(who jid.JID) (list []jid.JID) {
	e := r.Engine()
	if e == nil {
		return nil
	}
	for _, o := range e.Occupants() {
		for _, s := range o.Sessions {
			if s.Bare() == who.Bare() {
				list = append(list, s)
			}
		}
	}
	return list
}

// Evict takes the sessions of a login's owner out of the room, unless they are there by another login too.
func (r *Room) Evict(ctx context.Context, l *logins.Login, reason string) {
	delete(r.viewers, l.ID)
	r.version = r.rooms.env.Next()
	e := r.Engine()
	if e == nil {
		return
	}
	if other, seen := r.loginOf(ctx, l.Owner); other != nil && other != l && seen.Joined {
		return
	}
	for _, s := range r.SessionsOf(l.Owner) {
		e.RemoveSession(ctx, s, room.Departure{Kind: room.LostAffiliation, Reason: reason})
	}
}

// Suspend takes the sessions of a login's owner out of a private room while the login has to be linked again.
func (r *Room) Suspend(ctx context.Context, l *logins.Login) {
	if r.conv.Row.Kind == transports.Private && !l.Linked() {
		r.Evict(ctx, l, "Your "+r.rooms.env.Info.Name+" account has to be linked again.")
	}
}

// Address is the address of the room.
func (r *Room) Address() jid.JID { return r.jid }
