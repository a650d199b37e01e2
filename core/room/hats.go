package room

import (
	"context"
	"reflect"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/hats"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
)

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
	for _, o := range r.occupants.All() {
		if who := o.BareJID(); !slices.Equal(old.Of(who), l.Of(who)) {
			o.Changed()
			r.occupants.Announce(o, occupants.Change{})
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
	manage = a.aff.AtLeast(rules.AffAdmin)
	return manage, manage || a.role == rules.RoleModerator || a.o != nil && r.config.NonAnonymous()
}
