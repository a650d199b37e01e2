package room

import (
	"context"
	"reflect"
	"slices"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/hats"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Hat is a title of an occupant beside the affiliation (XEP-0317 §3.1).
type Hat = hats.Hat

// Commander is implemented by an Owner of a room that has ad-hoc commands (XEP-0050). The engine belongs to the goroutine of the room.
type Commander interface {
	Commands(r *Room) *command.Engine
}

// commands returns the ad-hoc commands of the room, nil if it has none.
func (r *Room) commands() *command.Engine {
	if c, ok := r.owner.(Commander); ok {
		return c.Commands(r)
	}
	return nil
}

// Hats returns the hats of the room.
func (r *Room) Hats() hats.List { return r.hats }

// SetHats changes the hats of the room, and announces the presence of those who wear others than before (XEP-0317 §3.2, §3.5).
func (r *Room) SetHats(ctx context.Context, l hats.List) error {
	old := r.hats
	if reflect.DeepEqual(old, l) {
		return nil
	}
	if err := r.save(ctx, Change{Hats: &l}); err != nil {
		return err
	}
	r.hats = l
	for _, o := range r.occupants {
		if who := o.bareJID(); !slices.Equal(old.Of(who), l.Of(who)) {
			o.dropCache()
			r.announce(o, presenceChange{})
		}
	}
	if !slices.Equal(old.Hats, l.Hats) {
		r.announceConfig(r.config, r.config, true)
	}
	r.notify(ctx, Event{Kind: ConfigChange})
	return nil
}

// HatRights implements hats.Room: admins manage hats, and who sees real JIDs sees who wears them.
func (r *Room) HatRights(session jid.JID) (manage, see bool) {
	a := r.actor(session)
	manage = a.aff.AtLeast(AffAdmin)
	return manage, manage || a.role == RoleModerator || a.o != nil && r.config.NonAnonymous()
}

// hatsOf returns the element of an occupant's presence, nil if it wears none.
func (r *Room) hatsOf(o *occupant) *stanza.Element {
	list := r.hats.Of(o.bareJID())
	if o.puppet != nil {
		list = append(slices.Clone(o.puppet.Hats), list...)
	}
	return hats.Element(list)
}

// commandIQ runs a command.
func (r *Room) commandIQ(ctx context.Context, st *stanza.Stanza) (*stanza.Element, error) {
	engine := r.commands()
	if engine == nil {
		return r.queryOwner(ctx, st, nil)
	}
	return engine.Handle(ctx, st)
}

// commandInfo describes the list of commands, or one of them; nil where the node is none of a command.
func (r *Room) commandInfo(ctx context.Context, st *stanza.Stanza, node string) (*stanza.Element, error) {
	engine := r.commands()
	if engine == nil || !engine.Has(node) {
		return nil, nil
	}
	info, err := engine.DiscoInfo(ctx, disco.Query{From: st.From, To: st.To, Node: node})
	if err != nil {
		return nil, err
	}
	return info.Element(node), nil
}

// commandItems lists the commands.
func (r *Room) commandItems(ctx context.Context, st *stanza.Stanza, node string) (*stanza.Element, error) {
	engine := r.commands()
	if engine == nil || !engine.Has(node) {
		return nil, stanza.ItemNotFound("")
	}
	items, err := engine.DiscoItems(ctx, disco.Query{From: st.From, To: st.To, Node: node})
	if err != nil {
		return nil, err
	}
	return disco.ItemsElement(node, items, nil), nil
}
