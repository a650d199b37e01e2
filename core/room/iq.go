package room

import (
	"context"
	"errors"

	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// handleIQ handles an IQ request to the room or to an occupant.
func (r *Room) handleIQ(ctx context.Context, st *stanza.Stanza) error {
	payload := st.FirstChild()
	if payload == nil || !st.IsRequest() {
		return stanza.BadRequest("An IQ request has one child element.")
	}
	if st.To.IsFull() {
		return r.occupantIQ(ctx, st, payload)
	}
	answer, err := r.roomIQ(ctx, st, payload)
	if errors.Is(err, ErrHandled) {
		return nil
	}
	if err == nil {
		r.send(st.Result(answer))
	}
	return err
}

func (r *Room) roomIQ(ctx context.Context, st *stanza.Stanza, payload *stanza.Element) (*stanza.Element, error) {
	get := st.Type == stanza.TypeGet
	switch payload.Space {
	case nsDiscoInfo:
		if get {
			return r.discoInfo(ctx, st, payload)
		}
	case nsDiscoItems:
		if get {
			return r.discoItems(ctx, st, payload)
		}
	case muc.NSPing:
		if get {
			return nil, nil
		}
	case muc.NSAdmin:
		if get {
			return r.adminGet(st, payload)
		}
		return nil, r.adminSet(ctx, st, payload)
	case nsRegister:
		return r.register(ctx, st, payload)
	case nsModerate:
		if !get && r.moderation() {
			return nil, r.moderate(ctx, st, payload)
		}
	case muc.NSOwner:
		if get {
			return r.ownerGet(st)
		}
		return nil, r.ownerSet(ctx, st, payload)
	}
	return r.queryOwner(ctx, st, nil)
}

// queryOwner passes an IQ to the Owner.
func (r *Room) queryOwner(ctx context.Context, st *stanza.Stanza, to *occupants.Occupant) (*stanza.Element, error) {
	q := Query{Stanza: st}
	if s := r.occupants.BySession(st.From); s != nil {
		v := view(s.Occupant)
		q.From = &v
	}
	if to != nil {
		v := view(to)
		q.To = &v
	}
	return r.owner.Query(ctx, r, q)
}

// occupantIQ handles an IQ to room/nick (XEP-0045 §17.4).
func (r *Room) occupantIQ(ctx context.Context, st *stanza.Stanza, payload *stanza.Element) error {
	s := r.occupants.BySession(st.From)
	if s == nil && (payload.Space == nsDiscoInfo || payload.Space == nsDiscoItems) { // XEP-0045 §6.6
		return stanza.BadRequest("You are not in the room.")
	}
	if s == nil { // XEP-0410 §3.2: a client relies on this error to learn that it is not in the room
		return stanza.NotAcceptable("You are not in the room.")
	}
	nick := st.To.Resource()
	to := r.occupants.ByNick(nick)
	if to == nil && nick == s.Asked {
		to = s.Occupant
	}
	ping := payload.Is(muc.NSPing, "ping") && st.Type == stanza.TypeGet
	switch {
	case to == nil && ping:
		return stanza.NotAcceptable("You are not in the room with this nickname.") // XEP-0410 §3.3
	case to == nil:
		return stanza.ItemNotFound("Nobody of this name is in the room.")
	case ping && (to == s.Occupant || len(to.Sessions) == 0): // XEP-0410 §3.3
		r.send(st.Result())
		return nil
	case len(to.Sessions) > 0 && to.Puppet == nil || to == s.Occupant:
		return r.relay(s, to, st, payload)
	}
	answer, err := r.queryOwner(ctx, st, to)
	if errors.Is(err, ErrHandled) {
		return nil
	}
	if err == nil {
		r.send(st.Result(answer))
	}
	return err
}
