package conference

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// owner is the Owner of one room. It belongs to the goroutine of the room.
type owner struct {
	service     *Service
	rates       map[string]rate // by occupant id
	ratesPruned time.Time
	archive     int64           // its number
	last        int64           // position of the last message
	version     uint64          // changes with the rules and the affiliations of the room
	pending     int             // messages that are being archived, and those that follow them
	commands    *command.Engine // nil before the first use
	node        string          // that the room names as its own
}

// maxPending is how many messages of a room wait for the database before others are refused.
const maxPending = 500

var _ room.Owner = (*owner)(nil)

// Enter implements room.Owner: the rules of the room decide.
func (o *owner) Enter(ctx context.Context, r *room.Room, e room.EnterRequest) (room.Grant, error) {
	who, _, err := o.service.outside(ctx, r, e.Session.Bare())
	if err != nil {
		return room.Grant{}, err
	}
	return room.Grant{OccupantID: who.ID}, o.listed(who)
}

// Message implements room.Owner. A message is archived before anybody gets it; all are sent in the order in which they came.
func (o *owner) Message(ctx context.Context, r *room.Room, m room.Message) error {
	if err := o.check(m); err != nil {
		return err
	}
	archived := o.archives(r) && !message.Transient(m.Stanza)
	post := m.Post("")
	if !archived && o.pending == 0 {
		return o.send(ctx, r, m, post)
	}
	if o.pending >= maxPending {
		return stanza.ResourceConstraint("Too many messages are waiting to be stored.")
	}
	var row *Message
	var retraction *Retraction
	if archived || m.Subject != nil && o.archives(r) {
		post.StanzaID = stanza.NewID()
		row, retraction = o.row(post), retracted(m)
	}
	o.pending++
	o.service.Archives.Append(r.JID(), row, retraction, func(err error) {
		o.service.rooms.Later(r.JID(), func(ctx context.Context, now *room.Room) {
			o.pending--
			if now != r {
				return // it was unloaded meanwhile: nobody was in it
			}
			if err == nil {
				err = o.send(ctx, r, m, post)
			}
			if err != nil {
				r.Refuse(m.Stanza, err)
			}
		})
	})
	return nil
}

// send sends a message to all.
func (o *owner) send(ctx context.Context, r *room.Room, m room.Message, post room.Post) error {
	if m.Subject != nil {
		subject := room.Subject{Text: *m.Subject, OccupantID: m.From.ID, Nick: m.From.Nick, Lang: m.Stanza.Lang}
		return r.SetSubject(ctx, subject, m.Stanza.ID, post.StanzaID)
	}
	o.broadcast(ctx, r, m, post)
	return nil
}

// check applies the limits of the service.
func (o *owner) check(m room.Message) error {
	limit := int(o.service.settings.Load().MessageBytes)
	if err := o.listed(room.Occupant{ID: m.From.ID, JID: m.Session, Affiliation: m.From.Affiliation}); err != nil {
		return err
	}
	switch {
	case len(m.Stanza.Payload)+len(m.Stanza.Extra) > limit:
		o.service.Counters.Size.Add(1)
		return stanza.NotAcceptable("This message is too large for a room.")
	}
	return o.countMessage(m.From.ID)
}

// Allow implements room.Owner: what XEP-0045 allows is allowed.
func (o *owner) Allow(ctx context.Context, r *room.Room, a room.Action) error {
	switch {
	case a.Kind == room.ActionPrivate, a.Kind == room.ActionInvite:
		if err := o.listed(room.Occupant{ID: a.By.ID, JID: a.Session, Affiliation: a.By.Affiliation}); err != nil {
			return err
		}
		return o.countMessage(a.By.ID)
	case a.Kind == room.ActionRegister:
		who, _, err := o.service.outside(ctx, r, a.JID) // whoever registers need not be in the room
		if err != nil {
			return err
		}
		if err := o.listed(who); err != nil { // members may do what who is listed may not
			return err
		}
		return o.countMessage(who.ID)
	case a.Kind == room.ActionModerate:
		return o.moderate(ctx, r, moderation{target: a.Value, by: a.By, reason: a.Reason})
	case a.Kind == room.ActionConfigure && a.Config.Logged && !r.Config().Logged && !o.service.settings.Load().Archive:
		return stanza.NotAcceptable("This service keeps no archives of rooms.")
	}
	return nil
}

// Query implements room.Owner.
func (o *owner) Query(ctx context.Context, r *room.Room, q room.Query) (*stanza.Element, error) {
	payload := q.Stanza.FirstChild()
	switch {
	case q.To != nil:
	case payload.Space == command.NS, payload.Space == disco.NSInfo, payload.Space == disco.NSItems:
		return o.command(ctx, r, q.Stanza)
	case payload.Is(muc.NSVCard, "vCard"):
		return o.card(ctx, r, q)
	case payload.Space == nsArchive:
		return nil, o.readArchive(r, q)
	case payload.Is(nsFasten, "apply-to") && q.Stanza.Type == stanza.TypeSet:
		return nil, o.moderateOld(ctx, r, q)
	}
	return nil, stanza.ServiceUnavailable("")
}

// Notify implements room.Owner.
func (o *owner) Notify(ctx context.Context, r *room.Room, e room.Event) {
	switch e.Kind {
	case room.Entered, room.Exited, room.DeliveryFault, room.Destroyed:
		o.service.crowds.set(r)
	}
	switch e.Kind {
	case room.ConfigChange:
		o.version++
		o.node = r.Config().Pubsub
	case room.Destroyed:
		o.service.Log.Info("room destroyed", "room", r.JID().String())
		o.endSpace(ctx, r)
	}
}
