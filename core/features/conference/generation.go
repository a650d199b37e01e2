package conference

import (
	"context"
	"strconv"
	"sync"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/rooms"
)

// Store keeps the rooms, and how often the names of accounts were given to somebody else.
type Store interface {
	rooms.Store
	// Generation returns how many accounts of a name were deleted. It is lasting while the account exists and is not being deleted.
	Generation(ctx context.Context, account jid.JID) (n int64, lasting bool, err error)
}

// maxGenerations is how many accounts are remembered.
const maxGenerations = 10_000

// generations remembers the generations of accounts, 0 for nearly all. Its lock is a leaf.
type generations struct {
	mu    sync.Mutex
	of    map[jid.JID]int64
	epoch int // of the last forget
}

// forget forgets an account that is being deleted.
func (g *generations) forget(account jid.JID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.of, account)
	g.epoch++
}

func (g *generations) get(account jid.JID) (n int64, known bool, epoch int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, known = g.of[account]
	return n, known, g.epoch
}

func (g *generations) put(account jid.JID, n int64, epoch int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.epoch != epoch { // it may have been deleted since it was read
		return
	}
	if g.of == nil || len(g.of) >= maxGenerations {
		g.of = map[jid.JID]int64{}
	}
	g.of[account] = n
}

// generation returns how many other accounts had the name of an address before; 0 for addresses of other servers.
func (s *Service) generation(ctx context.Context, who jid.JID) (int64, error) {
	if !s.Local(who) {
		return 0, nil
	}
	n, known, epoch := s.generations.get(who)
	if known {
		return n, nil
	}
	n, lasting, err := s.Store.Generation(ctx, who)
	if err == nil && lasting {
		s.generations.put(who, n, epoch)
	}
	return n, err
}

// outside is room.Outside with the occupant id of the account that has the address now: who gets the name of an account that was deleted
// must not be taken for its predecessor, whose messages it could retract (XEP-0424 §5). For the first account of a name it is that of the room
// itself.
func (s *Service) outside(ctx context.Context, r *room.Room, who jid.JID) (o room.Occupant, mayEnter bool, err error) {
	o, mayEnter = r.Outside(who)
	n, err := s.generation(ctx, who)
	if err == nil && n > 0 {
		o.ID = r.OccupantID(who.String() + "\x00" + strconv.FormatInt(n, 10))
	}
	return o, mayEnter, err
}
