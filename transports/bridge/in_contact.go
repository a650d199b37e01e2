package bridge

import (
	"context"

	"github.com/dragoman-im/dragoman/transports"
)

// contact is a person who is new or has changed.
func (s *step) contact(_ context.Context, c transports.Contact) error {
	a := s.w.g.account(s.row.Login)
	if a == nil || c.Info.ID == "" || len(c.Info.ID) > maxID {
		return nil
	}
	u := clip(c.Info)
	s.b.Rooms.Puppets = append(s.b.Rooms.Puppets, u)
	s.then(func(ctx context.Context) {
		s.w.g.people.put(u)
		s.w.g.pushContacts(ctx, a, []transports.UserInfo{u})
	})
	return nil
}
