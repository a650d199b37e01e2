package conference

import (
	"context"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/rooms"
)

// RemoveUser takes all affiliations from an account that is being deleted, in memory and in the store, so that whoever gets the
// name has none of its rights. A room that nobody else has to do with is destroyed; others stay, also without an owner: an
// administrator can appoint one.
func (s *Service) RemoveUser(ctx context.Context, account jid.JID) error {
	s.generations.forget(account)
	list, err := s.Lists.Affiliated(ctx, s.Domain(), account)
	if err != nil {
		return err
	}
	for _, at := range list {
		err := s.rooms.Call(ctx, at, func(ctx context.Context, r *room.Room) error {
			if err := r.SetAffiliation(ctx, account, affiliations.Entry{Affiliation: rules.AffNone}); err != nil {
				return err
			}
			if err := r.Forget(ctx, account); err != nil {
				return err
			}
			if err := r.SetHats(ctx, r.Hats().Forget(account)); err != nil {
				return err
			}
			if abandoned(r) {
				return r.Destroy(ctx, jid.JID{}, "The account that this room belonged to has been deleted.")
			}
			return nil
		})
		if err != nil && !errors.Is(err, rooms.ErrNoRoom) {
			return fmt.Errorf("remove %s from %s: %w", account, at, err)
		}
	}
	return nil
}

// abandoned reports whether nobody is in a room or on its lists, except who is banned.
func abandoned(r *room.Room) bool {
	if r.Sessions() > 0 {
		return false
	}
	for _, e := range r.Affiliations() {
		if e.Affiliation.AtLeast(rules.AffMember) {
			return false
		}
	}
	return true
}
