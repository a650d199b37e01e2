package conversation

import (
	"context"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/mailbox"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// What Parts.Work may have to look at.
const (
	Inbox  mailbox.Marks = 1 << iota // new events may be in the store
	Outbox                           // calls may be due
)

// Pauses after a failed write.
const (
	firstPause = 100 * time.Millisecond
	longPause  = 10 * time.Second
)

// Parts are what a conversation consists of. All methods but Disposable run in its goroutine.
type Parts interface {
	// Load is called when the conversation's row has been read.
	Load(ctx context.Context) error
	// Work runs after each batch of jobs.
	Work(ctx context.Context, look mailbox.Marks)
	// Disposable reports whether nothing of the conversation has to stay in memory. It must not block.
	Disposable() bool
	// Close is called when the conversation is dropped from memory.
	Close()
}

// Conversation is one room or direct chat.
type Conversation struct {
	ID    int64
	Parts Parts
	// Row belongs to the goroutine. Its ID is 0 where the conversation is gone.
	Row tables.Room

	set   *Set
	pause time.Duration // after the last failed write; belongs to the goroutine

	mu      sync.Mutex
	events  int // in the inbox, not processed yet
	calls   int // in the outbox, not done yet
	recent  recent
	hold    hold
	refused *logins.Login
}

// hold keeps events back while messages may be missing.
type hold struct {
	backfills int  // that run or wait to run
	live      bool // new events get PriorityHeld: a backfill runs, or what it has held back is still there
	partial   bool // a backfill was given up: the next one starts where it would have
}

// Exists reports whether the conversation has a row.
func (c *Conversation) Exists() bool { return c.Row.ID != 0 }

// Direct reports whether this is the direct chat of a login.
func (c *Conversation) Direct() bool { return c.Row.Direct() }

// Login is whose direct chat this is; nil for a room, and where the login is gone.
func (c *Conversation) Login() *logins.Login {
	if c.Row.Scope == "" {
		return nil
	}
	return c.set.logins.ByID(c.Row.Scope)
}

// Enqueue queues a job that must not be lost, such as the outcome of a call.
func (c *Conversation) Enqueue(job func(ctx context.Context)) {
	err := c.set.boxes.EnqueueAlways(c.ID, func(ctx context.Context, _ *Conversation) { job(ctx) })
	if err != nil {
		c.set.env.Log.Debug("a job of a conversation is dropped", "room", c.Row.Net, "error", err)
	}
}

// Look has the parts look at the inbox or outbox once more.
func (c *Conversation) Look(at mailbox.Marks) { c.set.Wake(c.ID, at) }

// LookAfter is Look when a time has passed.
func (c *Conversation) LookAfter(d time.Duration, at mailbox.Marks) *mailbox.Timer {
	t, err := c.set.boxes.WakeAfter(c.ID, max(d, time.Millisecond), at)
	if err != nil {
		return nil
	}
	return t
}

// Commit writes a batch.
func (c *Conversation) Commit(ctx context.Context, b *tables.Batch) error {
	err := c.set.store.Commit(ctx, b)
	if err == nil {
		c.pause = 0
		if len(b.Archive) > 0 {
			c.set.archived(c.ID)
		}
		if len(b.Rooms.Rooms) > 0 {
			c.set.described(c.ID)
		}
	}
	return err
}

// Persist is Commit for what must not be lost: it tries until it succeeds, or ctx ends.
func (c *Conversation) Persist(ctx context.Context, b *tables.Batch) bool {
	for {
		err := c.Commit(ctx, b)
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		c.set.env.Log.Error("writing what a conversation has done; trying again", "room", c.Row.Net, "error", err)
		if c.Pause(ctx); ctx.Err() != nil {
			return false
		}
	}
}

// Pause waits a while after a failure of the store, longer each time until a write succeeds.
func (c *Conversation) Pause(ctx context.Context) {
	c.pause = min(max(2*c.pause, firstPause), longPause)
	t := time.NewTimer(c.pause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// MayReceive reports whether events may be processed now.
func (c *Conversation) MayReceive() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hold.backfills == 0 && !c.set.away.Load()
}

// Partial reports whether earlier messages may be missing.
func (c *Conversation) Partial() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hold.partial
}

// Current reports whether all events before the live ones were stored: no backfill runs, was given up or has held
// events back that are still there.
func (c *Conversation) Current() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hold == hold{}
}

// Calls is how many calls wait in the outbox.
func (c *Conversation) Calls() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls
}

// AddCalls changes the number of calls that wait.
func (c *Conversation) AddCalls(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = max(0, c.calls+n)
}

// NextEvents returns the first events that wait, no more than limit, from memory or else by read.
// KeepEvents has to follow.
func (c *Conversation) NextEvents(ctx context.Context, limit int, read func(ctx context.Context, id int64, limit int) ([]tables.Event, error)) ([]tables.Event, error) {
	c.mu.Lock()
	rows, ok := c.recent.take(limit)
	c.mu.Unlock()
	if ok {
		return rows, nil
	}
	rows, err := read(ctx, c.ID, limit)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recent.endReading(rows, limit)
	return rows, nil
}

// KeepEvents is called with those of NextEvents that still wait, once the others were written. Where it is not
// called the next events are read from the database.
func (c *Conversation) KeepEvents(rows []tables.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recent.putBack(rows)
}

// CaughtUp lets live events have the first priority again, once nothing waits before them. It returns
// the login whose events were refused meanwhile, if any: its backfill has to read them.
func (c *Conversation) CaughtUp() *logins.Login {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hold.backfills > 0 || c.events > 0 {
		return nil
	}
	c.hold.live = false
	return c.refused
}

// Accept ends the refusal of live events, where no backfill has done so.
func (c *Conversation) Accept() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hold.backfills == 0 {
		c.refused = nil
	}
}

// Reload reads the row again, after rows were removed.
func (c *Conversation) Reload(ctx context.Context) {
	for {
		err := c.load(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		c.set.env.Log.Error("reading a conversation; trying again", "room", c.ID, "error", err)
		c.Pause(ctx)
	}
}

func (c *Conversation) load(ctx context.Context) error {
	row, ok, err := c.set.store.RoomByID(ctx, c.ID)
	if err != nil {
		return err
	}
	c.Row = row
	if !ok {
		c.Row = tables.Room{}
		c.mu.Lock()
		c.events, c.calls, c.refused, c.hold.live, c.hold.partial = 0, 0, nil, false, false
		c.recent.forgetAll()
		c.mu.Unlock()
	}
	return c.Parts.Load(ctx)
}

func (c *Conversation) disposable() bool {
	c.mu.Lock()
	idle := c.hold == (hold{}) && c.refused == nil && c.events == 0 && c.calls == 0
	c.mu.Unlock()
	return idle && c.Parts.Disposable()
}
