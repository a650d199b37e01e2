package conference

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// owner is the Owner of one room. It belongs to the goroutine of the room.
type owner struct {
	service *Service
	rates   map[string]rate // by occupant id
	version uint64          // changes with the rules and the affiliations of the room
}

// rate says how much of the permitted messages an occupant has used.
type rate struct {
	used float64
	at   time.Time
}

var _ room.Owner = (*owner)(nil)

func newOwner(s *Service) *owner {
	return &owner{service: s, rates: map[string]rate{}, version: uint64(time.Now().UnixNano())}
}

// Enter implements room.Owner: the rules of the room decide.
func (*owner) Enter(context.Context, *room.Room, room.EnterRequest) (room.Grant, error) {
	return room.Grant{}, nil
}

// Message implements room.Owner.
func (o *owner) Message(ctx context.Context, r *room.Room, m room.Message) error {
	limit := int(o.service.settings.Load().MessageBytes)
	switch {
	case len(m.Stanza.Payload)+len(m.Stanza.Extra) > limit:
		o.service.Counters.Size.Add(1)
		return stanza.NotAcceptable("This message is too large for a room.")
	case !o.mayWrite(m.From.ID, time.Now()):
		o.service.Counters.Rate.Add(1)
		e := stanza.PolicyViolation("You write too much. Please wait a little.")
		e.Type = "wait"
		return e
	case m.Subject != nil:
		return r.SetSubject(ctx, room.Subject{Text: *m.Subject, OccupantID: m.From.ID, Nick: m.From.Nick, Lang: m.Stanza.Lang}, m.Stanza.ID, "")
	}
	o.broadcast(ctx, r, m, m.Post(""))
	return nil
}

// mayWrite reports whether an occupant may write a message now, and counts it.
func (o *owner) mayWrite(id string, now time.Time) bool {
	perMinute := float64(o.service.settings.Load().Messages)
	if perMinute == 0 {
		return true
	}
	u := o.rates[id]
	u.used = max(0, u.used-now.Sub(u.at).Minutes()*perMinute)
	u.at = now
	ok := u.used+1 <= max(1, perMinute/3)
	if ok {
		u.used++
	}
	o.rates[id] = u
	return ok
}

// Allow implements room.Owner: what XEP-0045 allows is allowed.
func (*owner) Allow(context.Context, *room.Room, room.Action) error { return nil }

// Query implements room.Owner.
func (*owner) Query(context.Context, *room.Room, room.Query) (*stanza.Element, error) {
	return nil, stanza.ServiceUnavailable("")
}

// Notify implements room.Owner.
func (o *owner) Notify(_ context.Context, r *room.Room, e room.Event) {
	switch e.Kind {
	case room.ConfigChange:
		o.version++
	case room.Exited, room.DeliveryFault:
		// Who comes again at once must not have more messages for that: the oldest ones are forgotten only where there are many.
		if len(o.rates) > 2*len(r.Occupants())+100 {
			o.forgetRates(e.At)
		}
	case room.Destroyed:
		o.service.Log.Info("room destroyed", "room", r.JID().String())
	}
}

// forgetRates forgets occupants that have not written for a minute: nothing of what they may write is used any more.
func (o *owner) forgetRates(now time.Time) {
	for id, u := range o.rates {
		if now.Sub(u.at) > time.Minute {
			delete(o.rates, id)
		}
	}
}
