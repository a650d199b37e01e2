package conversation

import (
	"context"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/mailbox"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Store has the rows of conversations.
type Store interface {
	RoomByID(ctx context.Context, id int64) (tables.Room, bool, error)
	Commit(ctx context.Context, b *tables.Batch) error
}

// Set is the conversations of a gateway that are in memory.
type Set struct {
	env    *gateway.Env
	store  Store
	logins *logins.Registry
	parts  func(*Conversation) Parts
	boxes  *mailbox.Group[int64, *Conversation]
	away   atomic.Bool // the server cannot be reached
	// archived is called when something was added to the archive of a conversation. It must not block.
	archived func(id int64)
	// described is called when the row of a conversation was written. It must not block.
	described func(id int64)
}

// NewSet makes the conversations of a gateway; parts makes what a conversation consists of, without I/O.
func NewSet(env *gateway.Env, store Store, registry *logins.Registry, parts func(*Conversation) Parts) *Set {
	return &Set{env: env, store: store, logins: registry, parts: parts, archived: func(int64) {}, described: func(int64) {}}
}

// OnArchived has a function called when something was added to the archive of a conversation. It must not block.
func (s *Set) OnArchived(f func(id int64)) { s.archived = f }

// OnDescribed has a function called when the row of a conversation was written, such as with another topic. It must not block.
func (s *Set) OnDescribed(f func(id int64)) { s.described = f }

// Start lets the conversations run until Stop.
func (s *Set) Start(ctx context.Context) {
	s.boxes = mailbox.New(ctx, mailbox.Options[int64, *Conversation]{
		New: func(id int64) *Conversation {
			c := &Conversation{ID: id, set: s, recent: recent{more: true}}
			c.Parts = s.parts(c)
			return c
		},
		Load:       func(ctx context.Context, _ int64, c *Conversation) error { return c.load(ctx) },
		Work:       func(ctx context.Context, c *Conversation, look mailbox.Marks) { c.work(ctx, look) },
		Disposable: (*Conversation).disposable,
		Unload:     func(c *Conversation) { c.Parts.Close() },
		Limit:      s.env.Settings.Queue,
		Name:       "conversation", Log: s.env.Log,
		Panicked: func(int64) { s.env.Counters.Panics.Add(1) },
	})
}

// Stop ends all work; what waits stays in the store.
func (s *Set) Stop() {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	s.boxes.Stop(ended)
}

func (c *Conversation) work(ctx context.Context, look mailbox.Marks) {
	if !c.Exists() {
		return
	}
	if look.Has(Inbox) && !c.MayReceive() {
		look &^= Inbox // Release and ServerBack wake it
	}
	c.Parts.Work(ctx, look)
}

// Enqueue queues a job for a conversation; false where too many wait, or the gateway stops.
func (s *Set) Enqueue(id int64, job func(ctx context.Context, c *Conversation)) bool {
	return s.boxes.Enqueue(id, s.job(job)) == nil
}

// EnqueueAlways queues a job that must not be lost.
func (s *Set) EnqueueAlways(id int64, job func(ctx context.Context, c *Conversation)) {
	if err := s.boxes.EnqueueAlways(id, s.job(job)); err != nil {
		s.env.Log.Debug("a job of a conversation is dropped", "conversation", id, "error", err)
	}
}

func (s *Set) job(job func(ctx context.Context, c *Conversation)) mailbox.Job[*Conversation] {
	return func(ctx context.Context, c *Conversation) {
		if c.Exists() {
			job(ctx, c)
		}
	}
}

// Wake has a conversation look at its inbox or outbox.
func (s *Set) Wake(id int64, look mailbox.Marks) {
	_ = s.boxes.Wake(id, look) // where the gateway stops, the next start looks
}

// Loaded reports whether a conversation is in memory.
func (s *Set) Loaded() map[int64]bool {
	loaded := map[int64]bool{}
	for _, id := range s.boxes.Keys() {
		loaded[id] = true
	}
	return loaded
}

// ServerAway keeps events in the inbox, since the server cannot be reached.
func (s *Set) ServerAway() { s.away.Store(true) }

// ServerBack lets events be processed again.
func (s *Set) ServerBack() {
	if s.away.Swap(false) && s.boxes != nil {
		s.boxes.WakeAll(Inbox)
	}
}

// change changes what the lock of a conversation guards, which it neither loads nor starts.
func (s *Set) change(id int64, change func(c *Conversation)) {
	_, _ = s.boxes.Update(id, 0, func(c *Conversation) bool { // refused where the gateway stops
		c.mu.Lock()
		defer c.mu.Unlock()
		change(c)
		return false
	})
}

// Resume has a conversation go on with what the last run has left in the store.
func (s *Set) Resume(b tables.Backlog) {
	s.change(b.Room, func(c *Conversation) {
		c.events += b.Events
		c.calls += b.Calls
		c.hold.live = c.hold.live || b.Held
	})
	s.Wake(b.Room, Inbox|Outbox)
}

// Hold keeps a conversation's events back until Release.
func (s *Set) Hold(id int64) {
	s.change(id, func(c *Conversation) {
		c.hold.backfills++
		c.hold.live = true
		c.refused = nil // what was refused is among what will be read
		c.recent.forget()
	})
}

// Release lets a conversation's events be processed. Where the backfill is not complete, the next
// one starts where this one would have.
func (s *Set) Release(id int64, complete bool) {
	s.change(id, func(c *Conversation) {
		c.hold.backfills = max(0, c.hold.backfills-1)
		c.hold.partial = !complete
		c.recent.forget() // the last events of the backfill may not be in memory yet
	})
	s.Wake(id, Inbox)
}

// Waits reports whether events wait in a conversation.
func (s *Set) Waits(id int64) (waits bool) {
	s.change(id, func(c *Conversation) { waits = c.events > 0 })
	return waits
}

// Admit gives an event its number, in the order of its conversation; false where too many wait. Stored or
// Dropped has to follow. Live
// events of that login are then refused until the conversation has processed all that it has, and
// a backfill has read what was refused. A backfill has room of its own, since its events go
// before the live ones that wait.
func (s *Set) Admit(l *logins.Login, e *tables.Event, live bool) (admitted bool) {
	s.change(e.Room, func(c *Conversation) {
		if !c.hasRoom(s, l, live) {
			return
		}
		c.events++
		e.Seq = s.env.Next()
		c.recent.arrive(e.Seq)
		e.Position, e.Priority = e.Seq, tables.PriorityNow
		if live && c.hold.live {
			e.Priority = tables.PriorityHeld
		}
		admitted = true
	})
	return admitted
}

func (c *Conversation) hasRoom(s *Set, l *logins.Login, live bool) bool {
	limits := s.env.Settings
	switch {
	case !live:
		return c.events < limits.Pending+2*limits.Backfill
	case c.refused != nil:
		return false
	case c.events >= limits.Pending:
		if s.env.Info.Caps.History {
			c.refused = l
		}
		return false
	}
	return true
}

// Stored wakes a conversation for an admitted event that is durable. It is called in the order in which events
// were stored.
func (s *Set) Stored(e tables.Event) {
	_, _ = s.boxes.Update(e.Room, Inbox, func(c *Conversation) bool { // where the gateway stops, the next start reads it
		c.mu.Lock()
		defer c.mu.Unlock()
		c.recent.add(e)
		if c.hold.backfills > 0 || s.away.Load() {
			c.recent.forget() // it may take long
		}
		return true
	})
}

// Dropped takes back an admitted event that was not stored. moved tells that it was there before, and may have
// taken another place now.
func (s *Set) Dropped(e tables.Event, moved bool) {
	s.change(e.Room, func(c *Conversation) {
		c.events = max(0, c.events-1)
		c.recent.drop(e.Seq)
		if moved {
			c.recent.forget()
		}
	})
}

// Reread has the events of a conversation read from the database, where others than new ones came to it.
func (s *Set) Reread(id int64) {
	s.change(id, func(c *Conversation) { c.recent.forget() })
	s.Wake(id, Inbox)
}

// ForgetEvents drops the events of all conversations from memory, when rows were removed or changed.
func (s *Set) ForgetEvents() {
	for _, id := range s.boxes.Keys() {
		s.change(id, func(c *Conversation) { c.recent.forgetAll() })
	}
}

// Processed takes events off the number of those that wait.
func (s *Set) Processed(id int64, n int) {
	s.change(id, func(c *Conversation) { c.events = max(0, c.events-n) })
}
