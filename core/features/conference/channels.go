package conference

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/channelsearch"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// query answers what package rooms does not: searches for public rooms (XEP-0433).
func (s *Service) query(ctx context.Context, st *stanza.Stanza) (*stanza.Element, error) {
	if channelsearch.Handles(st.FirstChild()) {
		return s.search.Handle(ctx, st)
	}
	return nil, stanza.ServiceUnavailable("")
}

func (s *Service) searchLimits() channelsearch.Limits {
	c := s.settings.Load()
	return channelsearch.Limits{PerMinute: c.Searches, Results: c.SearchResults}
}

// searches counts the searches that were refused.
func (s *Service) searches() *atomic.Uint64 {
	if s.search == nil {
		return new(atomic.Uint64) // of a service that is there for its description alone
	}
	return &s.search.Limited
}

// public is the rooms of the service that everybody may know of.
type public struct{ *Service }

// describedAtOnce is how many rooms one statement reads.
const describedAtOnce = 500

// Channels implements channelsearch.Source.
func (p public) Channels(ctx context.Context, _ jid.JID, each func(*channelsearch.Channel)) error {
	for after := ""; ; {
		list, err := p.Public.Described(ctx, p.Domain(), after, describedAtOnce)
		if err != nil {
			return err
		}
		for i := range list {
			d := &list[i]
			each(&channelsearch.Channel{
				Address: d.JID, Name: d.Info.Name, Description: d.Info.Description, Language: d.Info.Lang, Users: p.crowds.of(d.JID),
				Open: !d.Config.MembersOnly && d.Config.Password == "", ShowsJIDs: d.Config.NonAnonymous(),
			})
			after = d.JID.String()
		}
		if len(list) < describedAtOnce {
			return nil
		}
	}
}

// crowds says how many people are in each room that is in memory. mu is a leaf.
type crowds struct {
	mu sync.Mutex
	by map[jid.JID]int
}

func (c *crowds) set(r *room.Room) {
	n := r.OccupantCount()
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case n == 0 || r.Gone():
		delete(c.by, r.JID())
	case c.by == nil:
		c.by = map[jid.JID]int{r.JID(): n}
	default:
		c.by[r.JID()] = n
	}
}

func (c *crowds) of(at jid.JID) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.by[at]
}
