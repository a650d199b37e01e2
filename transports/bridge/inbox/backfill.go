package inbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/conversation"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/rooms"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Backfill reads what logins may have missed.
type Backfill struct {
	env           *gateway.Env
	inbox         *Inbox
	rooms         *rooms.Rooms
	store         *tables.Store
	logins        *logins.Registry
	conversations *conversation.Set

	mu  sync.Mutex
	gap map[*logins.Login]*gap
}

// gap is what a login has to read: the rooms where messages may be missing, and those whose history
// was never read. One goroutine reads, room by room; rooms where events wait come first.
type gap struct {
	calls   *rate.Limiter // of history
	running bool
	held    []heldRoom     // rooms that are held now, except the one that is being read
	asked   map[int64]bool // rooms that were held since events may last have been missed
	begun   time.Time      // when the first of them was held
	dropped bool           // a room was released before its history was read
	off     bool           // no client is opened: nothing is held for this login
}

type heldRoom struct {
	id     int64
	shared bool // other logins may bring events to it
}

// NewBackfill makes what reads history.
func NewBackfill(i *Inbox, r *rooms.Rooms, registry *logins.Registry) *Backfill {
	return &Backfill{
		env: i.env, inbox: i, rooms: r, store: i.store, logins: registry, conversations: i.conversations,
		gap: map[*logins.Login]*gap{},
	}
}

// of is the gap of a login. The lock is held.
func (b *Backfill) of(l *logins.Login) *gap {
	g := b.gap[l]
	if g == nil {
		calls := b.env.Settings.Calls
		g = &gap{calls: rate.NewLimiter(rate.Limit(calls), max(1, int(10*calls)))}
		b.gap[l] = g
	}
	return g
}

// Begin is called when events may have been missed, before any later event: from now on live
// events are held until the history was read.
func (b *Backfill) Begin(ctx context.Context, l *logins.Login) error {
	if !b.env.Info.Caps.History || b.env.Info.Caps.CatchesUp {
		return nil
	}
	joined, err := b.rooms.Joined(ctx, l)
	if err != nil {
		return fmt.Errorf("read rooms to backfill: %w", err)
	}
	b.mu.Lock()
	g := b.of(l)
	g.asked, g.dropped, g.off = make(map[int64]bool, len(joined)), false, false
	for _, h := range g.held {
		g.asked[h.id] = true
	}
	b.mu.Unlock()
	b.hold(l, joined)
	return nil
}

// hold keeps back what comes to rooms until their history was read, once after each gap.
func (b *Backfill) hold(l *logins.Login, list []tables.Room) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.of(l)
	if g.off || !b.env.Info.Caps.History {
		return
	}
	if len(g.held) == 0 {
		g.begun = b.env.Now()
	}
	for _, r := range list {
		if r.Net == "" || g.asked[r.ID] || b.env.Info.Caps.CatchesUp && r.Backfilled {
			continue
		}
		if g.asked == nil {
			g.asked = map[int64]bool{}
		}
		g.asked[r.ID] = true
		g.held = append(g.held, heldRoom{r.ID, r.Scope == ""})
		b.conversations.Hold(r.ID)
	}
}

// Missed has the history of a room read once more.
func (b *Backfill) Missed(l *logins.Login, r tables.Room) {
	b.mu.Lock()
	g := b.of(l)
	if !slices.ContainsFunc(g.held, func(h heldRoom) bool { return h.id == r.ID }) {
		delete(g.asked, r.ID)
	}
	b.mu.Unlock()
	b.Found(l, r)
}

// Found is called with rooms that may be new, or of which the login did not know before that it is in
// them: their history is read too.
func (b *Backfill) Found(l *logins.Login, list ...tables.Room) {
	b.hold(l, list)
	b.Run(l)
}

// Release releases what is held while there is no client that could read the history. Where one is expected
// soon, only others' clients may bring events: the rooms that are shared must not wait.
func (b *Backfill) Release(l *logins.Login, soon bool) {
	others := b.logins.AnyOnline()
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.of(l)
	soon = soon && b.env.Now().Sub(g.begun) <= b.env.Settings.HoldBackfill
	var kept []heldRoom
	for _, h := range g.held {
		if soon && !(h.shared && others) {
			kept = append(kept, h)
			continue
		}
		b.conversations.Release(h.id, false)
		g.dropped = true
	}
	g.held = kept
}

// Stop releases all for a login whose client is not opened any more.
func (b *Backfill) Stop(l *logins.Login) {
	b.mu.Lock()
	b.of(l).off = true
	b.mu.Unlock()
	b.Release(l, false)
}

// Forget forgets a login that was removed.
func (b *Backfill) Forget(l *logins.Login) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.gap, l)
}

// MustBegin reports whether history has to be read although the client has missed nothing since it was last
// online.
func (b *Backfill) MustBegin(l *logins.Login) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.of(l).dropped
}

// Run starts the reading, where there is something to read and a client that is online: read before
// that, the history would end before the live events begin, and what is written between the two would be
// lost.
func (b *Backfill) Run(l *logins.Login) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g, client := b.of(l), l.Client()
	if g.running || client == nil || b.env.Group.Context().Err() != nil || len(g.held) == 0 {
		return
	}
	g.running = b.env.Group.Go(func(ctx context.Context) { b.read(ctx, l, client) })
}

// read reads one room after the other.
func (b *Backfill) read(ctx context.Context, l *logins.Login, client transports.Client) {
	defer b.Run(l) // for what came, or for another client that was opened, meanwhile
	defer func() {
		b.mu.Lock()
		b.of(l).running = false
		b.mu.Unlock()
	}()
	h, ok := client.(transports.Historian)
	for ok && ctx.Err() == nil {
		room, more := b.next(l, client)
		if !more {
			return
		}
		err := b.readRoom(ctx, l, h, room.id)
		switch {
		case err == nil:
			b.conversations.Release(room.id, true)
		case b.putOff(l, room, err):
			b.pause(ctx, err)
		}
	}
}

// next picks the next room, one with events that wait before all others.
func (b *Backfill) next(l *logins.Login, client transports.Client) (room heldRoom, more bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.of(l)
	if l.Client() != client || len(g.held) == 0 {
		return room, false
	}
	pick := max(0, slices.IndexFunc(g.held, func(h heldRoom) bool { return b.conversations.Waits(h.id) }))
	room = g.held[pick]
	g.held = slices.Delete(g.held, pick, pick+1)
	return room, true
}

// putOff reports whether a room is to be tried again: it then stays held.
func (b *Backfill) putOff(l *logins.Login, room heldRoom, err error) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.of(l)
	again := transports.ClassOf(err) == transports.Retry || errors.Is(err, errFull)
	if again && !g.off && b.env.Now().Sub(g.begun) <= b.env.Settings.HoldBackfill {
		if len(g.held) == 0 {
			g.begun = b.env.Now()
		}
		g.held = append(g.held, room)
		return true
	}
	if !g.off {
		b.env.Log.Warn("a backfill was given up for now; messages may be missing until the next one", "login", l.ID, "room", room.id, "error", err)
	}
	b.conversations.Release(room.id, false)
	return false
}

// pause waits as long as the network asks.
func (b *Backfill) pause(ctx context.Context, err error) {
	d := gateway.RetryMin
	var e *transports.Error
	if errors.As(err, &e) {
		d = max(d, e.After)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
