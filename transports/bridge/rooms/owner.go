package rooms

import (
	"context"

	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
)

var _ room.Owner = (*Room)(nil)

// Message implements room.Owner.
func (r *Room) Message(ctx context.Context, _ *room.Room, m room.Message) error {
	l, seen := r.loginOf(ctx, m.Session)
	if l == nil || !seen.Joined {
		return stanza.Forbidden("You are not in this room on " + r.rooms.env.Info.Name + ". Please join it there.")
	}
	if m.To == nil {
		return r.outbox.Send(ctx, l, m)
	}
	peer, ok := r.occupants[m.To.ID]
	if !ok {
		return stanza.ItemNotFound("This person is not on " + r.rooms.env.Info.Name + " and cannot be written to from here. Please write to their own address.")
	}
	st := m.Stanza.Copy()
	st.Type = stanza.TypeChat
	return r.rooms.direct.SendDirect(ctx, l, peer, st)
}

// Allow implements room.Owner: the network decides about names and rights.
func (r *Room) Allow(_ context.Context, _ *room.Room, a room.Action) error {
	network := r.rooms.env.Info.Name
	switch a.Kind {
	case room.ActionPrivate: // between sessions that are in the room
		return nil
	case room.ActionNick:
		return stanza.NotAcceptable("Your name here is the one that you have on " + network + ". Please change it there.")
	}
	return stanza.NotAllowed("This can be done only on " + network + ". Please do it there.")
}

// Query implements room.Owner.
func (r *Room) Query(ctx context.Context, _ *room.Room, q room.Query) (*stanza.Element, error) {
	payload := q.Stanza.FirstChild()
	l, seen := r.loginOf(ctx, q.Stanza.From)
	if l == nil {
		return nil, stanza.Forbidden("Your account on " + r.rooms.env.Info.Name + " does not see this room. Please join it there.")
	}
	switch {
	case payload.Is(convert.NSVCard, "vCard") && q.Stanza.Type == stanza.TypeGet:
		if q.To == nil {
			return stanza.NewElement(convert.NSVCard, "vCard").Add(
				stanza.TextElement(convert.NSVCard, "FN", convert.RoomTitle(r.conv.Row)), stanza.TextElement(convert.NSVCard, "DESC", r.conv.Row.Topic)), nil
		}
		user, ok := r.occupants[q.To.ID]
		if !ok {
			return nil, stanza.ItemNotFound("")
		}
		return nil, r.later(q.Stanza, func(ctx context.Context) { r.rooms.people.AnswerVCard(ctx, l, user, q.Stanza) })
	case payload.Space == convert.NSMAM && q.To == nil:
		if !seen.Joined && q.From == nil {
			return nil, stanza.Forbidden("Come into the room first.") // the network is asked then
		}
		store, st := stored{r.rooms, r.jid, r.conv.ID}, q.Stanza
		return nil, r.later(st, func(ctx context.Context) { store.answer(ctx, st) })
	case payload.Is(convert.NSVCard, "vCard"): // XEP-0054 §3.2
		return nil, stanza.Forbidden("This is the profile that somebody has on " + r.rooms.env.Info.Name + ". Only they can change it, there.")
	}
	return nil, stanza.ServiceUnavailable("")
}

// later has a request answered outside of the room's goroutine. The error is for the requester.
func (r *Room) later(st *stanza.Stanza, answer func(ctx context.Context)) error {
	if !r.rooms.env.Group.Turn(st.From.Bare(), answer) {
		return stanza.ResourceConstraint("Too many requests are waiting.")
	}
	return room.ErrHandled
}

// Notify implements room.Owner.
func (r *Room) Notify(_ context.Context, _ *room.Room, e room.Event) {
	if e.Kind == room.DeliveryFault {
		r.rooms.env.Log.Debug("a session is gone from a room", "room", r.conv.Row.Net, "session", e.Session.String())
	}
}
