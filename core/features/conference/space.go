package conference

import (
	"context"
	"errors"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Nick implements rules.Describer: people choose their nicknames.
func (*owner) Nick(context.Context, jid.JID) string { return "" }

// Describe implements rules.Describer: a room that names a space of this server as its node is in that space (XEP-0503 §5.5).
func (o *owner) Describe(ctx context.Context, _ jid.JID) (features []string, forms []*stanza.Element) {
	if o.node == "" || o.service.Space == nil {
		return nil, nil
	}
	at, node, ok := pubsub.ParseNodeURI(o.node)
	if !ok {
		return nil, nil
	}
	is, err := o.service.Space(ctx, at, node)
	switch {
	case err != nil:
		o.service.Log.Error("space of a room not looked up", "space", o.node, "err", err)
		return nil, nil
	case !is:
		return nil, nil
	}
	return []string{pubsub.NSSpaces}, []*stanza.Element{pubsub.SpaceForm(o.node).Element()}
}

// EnterSpace makes a room name a space as its node, if who owns the room.
func (s *Service) EnterSpace(ctx context.Context, who, at jid.JID, space string) (bool, error) {
	return s.moveRoom(ctx, who, at, func(node string) (string, bool) { return space, true })
}

// LeaveSpace ends that, if the room names this space.
func (s *Service) LeaveSpace(ctx context.Context, who, at jid.JID, space string) (bool, error) {
	return s.moveRoom(ctx, who, at, func(node string) (string, bool) { return "", node == space })
}

// endSpace takes a room that was destroyed out of the space that it named as its own. One that is not permanent ends with its last occupant,
// and stays in its space, from which it is entered again.
func (o *owner) endSpace(ctx context.Context, r *room.Room) {
	at, node, ok := pubsub.ParseNodeURI(o.node)
	if !ok || o.service.Destroyed == nil || !r.Config().Persistent {
		return
	}
	if err := o.service.Destroyed(context.WithoutCancel(ctx), at, node, r.JID()); err != nil {
		o.service.Log.Warn("a destroyed room stays in its space", "room", r.JID().String(), "space", o.node, "err", err)
	}
}

// moveRoom changes the node of a room, if who owns the room.
func (s *Service) moveRoom(ctx context.Context, who, at jid.JID, change func(node string) (string, bool)) (done bool, err error) {
	err = s.call(ctx, at, func(ctx context.Context, r *room.Room) error {
		if by, _ := r.Outside(who.Bare()); by.Affiliation != rules.AffOwner {
			return nil
		}
		c := r.Config()
		node, ok := change(c.Pubsub)
		if !ok || node == c.Pubsub {
			done = ok
			return nil
		}
		c.Pubsub, done = node, true
		return r.SetConfig(ctx, c)
	})
	if errors.Is(err, admin.ErrNoRoom) {
		return false, nil
	}
	return done && err == nil, err
}
