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
	asked   map[int64]bool // rooms that were held since the last Begin: each is held once
	wake    chan struct{}  // there are new ones in held
	dropped bool           // a room was released before its history was read
	off     bool           // Stop was called: no client is opened, and nothing is held for this login
}

// heldRoom is a room whose events wait until its history was read.
type heldRoom struct {
	id         int64
	shared     bool      // other logins may bring events to it
	since      time.Time // when the hold began; it ends after Settings.HoldBackfill in any case
	notBefore  time.Time // when its history may be asked for again
	unreadable int       // answers that could not be read
}

// maxUnreadable is how often a room's history is asked for if the answer cannot be read.
const maxUnreadable = 3

// NewBackfill makes the Backfill of a gateway.
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
		g = &gap{calls: rate.NewLimiter(rate.Limit(calls), max(1, int(10*calls))), wake: make(chan struct{}, 1)}
		b.gap[l] = g
	}
	return g
}

// Begin is called when events may have been missed, before any later event: from now on live
// events are held until the history was read.
func (b *Backfill) Begin(ctx context.Context, l *logins.Login) error {
	l.Missed()
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
	for _, r := range list {
		if r.Net == "" || g.asked[r.ID] || b.env.Info.Caps.CatchesUp && r.Backfilled {
			continue
		}
		if g.asked == nil {
			g.asked = map[int64]bool{}
		}
		g.asked[r.ID] = true
		g.held = append(g.held, heldRoom{id: r.ID, shared: r.Scope == "", since: b.env.Now()})
		b.conversations.Hold(r.ID)
	}
	select {
	case g.wake <- struct{}{}:
	default:
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
	var kept []heldRoom
	for _, h := range g.held {
		if soon && !b.overdue(h) && !(h.shared && others) {
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

// read reads one room after the other. A room that has to be tried again does not hold up those after it.
func (b *Backfill) read(ctx context.Context, l *logins.Login, client transports.Client) {
	defer b.Run(l) // for what came, or for another client that was opened, meanwhile
	defer func() {
		b.mu.Lock()
		b.of(l).running = false
		b.mu.Unlock()
	}()
	h, ok := client.(transports.Historian)
	for ok && ctx.Err() == nil {
		room, wait, more := b.next(l, client)
		switch {
		case !more:
			return
		case wait > 0:
			b.pause(ctx, l, wait)
			continue
		}
		if err := b.readRoom(ctx, l, h, room.id); err == nil {
			b.conversations.Release(room.id, true)
		} else {
			b.putOff(l, room, err)
		}
	}
}

// next picks the next room, one with events that wait before all others. Where all of them have to wait, it returns for how
// long.
func (b *Backfill) next(l *logins.Login, client transports.Client) (room heldRoom, wait time.Duration, more bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.of(l)
	if l.Client() != client || len(g.held) == 0 {
		return room, 0, false
	}
	now, pick := b.env.Now(), -1
	for i, h := range g.held {
		if d := h.notBefore.Sub(now); d > 0 {
			if wait == 0 || d < wait {
				wait = d
			}
			continue
		}
		if pick < 0 || b.conversations.Waits(h.id) {
			pick = i
		}
		if b.conversations.Waits(h.id) {
			break
		}
	}
	if pick < 0 {
		return room, wait, true
	}
	room = g.held[pick]
	g.held = slices.Delete(g.held, pick, pick+1)
	return room, 0, true
}

// overdue reports whether a room was held for as long as one may be.
func (b *Backfill) overdue(h heldRoom) bool {
	return b.env.Now().Sub(h.since) >= b.env.Settings.HoldBackfill
}

// putOff keeps a room for another try, or gives it up for now: its events are held no longer.
func (b *Backfill) putOff(l *logins.Login, room heldRoom, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.of(l)
	var e *transports.Error
	errors.As(err, &e)
	if e != nil && e.Unreadable {
		room.unreadable++
	}
	again := transports.ClassOf(err) == transports.Retry || errors.Is(err, errFull)
	if again && !g.off && !b.overdue(room) && room.unreadable < maxUnreadable {
		pause := gateway.RetryMin
		if e != nil {
			pause = max(pause, e.After)
		}
		room.notBefore = b.env.Now().Add(pause)
		if end := room.since.Add(b.env.Settings.HoldBackfill); room.notBefore.After(end) {
			room.notBefore = end
		}
		g.held = append(g.held, room)
		return
	}
	if !g.off {
		b.env.Log.Warn("a backfill was given up for now; messages may be missing until the next one", "login", l.ID, "room", room.id, "error", err)
	}
	b.conversations.Release(room.id, false)
}

// pause waits until a time has passed, or there are other rooms.
func (b *Backfill) pause(ctx context.Context, l *logins.Login, d time.Duration) {
	b.mu.Lock()
	wake := b.of(l).wake
	b.mu.Unlock()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-wake:
	case <-ctx.Done():
	}
}
