package rooms

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/mailbox"
	"github.com/dragoman-im/dragoman/core/room"
)

// Release hands a room over to another node: new stanzas for it are refused, queued ones are
// handled, and its state is returned, nil if it is not loaded. The other node calls Adopt.
// It can be used only if Options.Mailboxes is nil.
func (s *Service) Release(ctx context.Context, at jid.JID) (*room.State, error) {
	var state *room.State
	err := s.group.Release(ctx, at, func(h *Entry) { state = h.handOver() })
	if err != nil {
		return nil, err
	}
	return state, nil
}

// Adopt takes a room over from another node, or takes a released room back. If state is nil the room is loaded
// when it is used.
func (s *Service) Adopt(ctx context.Context, at jid.JID, state *room.State) error {
	if !s.group.Reclaim(at) {
		return mailbox.ErrReleased
	}
	if state == nil {
		return nil
	}
	return s.call(ctx, at, func(ctx context.Context, h *Entry) error { return h.adopt(ctx, *state) })
}

// handOver returns the state of the room and drops it without sending anything to the occupants.
func (h *Entry) handOver() *room.State {
	h.Flush()
	if h.room == nil {
		return nil
	}
	s := h.room.State()
	h.room = nil
	return &s
}

// adopt restores a room from the state of another node.
func (h *Entry) adopt(ctx context.Context, s room.State) error {
	if h.room != nil {
		return fmt.Errorf("adopt room %s: it is loaded here", h.at)
	}
	r, _, err := h.make(ctx, &s.Snapshot, false) // s contains the puppets with their nicks
	if err != nil {
		return err
	}
	if err := r.Restore(s); err != nil {
		return err
	}
	h.room = r
	return nil
}
