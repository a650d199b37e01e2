package bridge

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// worker is the one ordered queue of a room, for both directions. Its goroutine runs
// while there is something to do; only it touches the fields below the line.
type worker struct {
	g  *Gateway
	id int64

	mu      sync.Mutex
	jobs    []job
	running bool
	inbound bool     // rows may wait in the inbox
	outward bool     // rows may wait in the outbox
	pending int      // rows in the inbox, for the limit
	queued  int      // rows in the outbox, for the limit
	live    bool     // new events go to tables.PriorityHeld: a catch-up runs, or what it held is still there
	gaps    int      // catch-ups that run or wait to run
	open    bool     // a catch-up was given up: the next one begins where it would have
	refused *account // its events found the inbox full: none may pass them until it has read the past

	// Owned by the goroutine.
	loaded    bool
	row       tables.Room
	room      *room.Room                   // while somebody is in it
	collect   func(*stanza.Stanza)         // while several messages are sent together; and
	flush     func()                       // to let go those that wait
	filling   bool                         // Seen was last moved by the history of a new room
	filled    bool                         // room has the members
	occupants map[string]transports.UserID // who the members are, by occupant id
	writing   map[jid.JID]bool             // local users of whom the network was told that they write
	lastTyped time.Time
	accepted  []accepted // said in the room, not durable yet
	head      *tables.Call
	call      *call
	notNow    time.Time // when the head may be tried again
	tries     int       // failures in a row
	timer     *time.Timer
	stuck     map[int64]int               // commits of single events that failed
	seenBy    map[transports.LoginID]bool // who is known to see the room
	heldRows  int                         // events that wait for a call
	backoff   time.Duration               // of commits
}

// job is one thing to do for a worker's goroutine.
type job func(ctx context.Context, w *worker)

// post hands a job to a room's worker; false where too many wait or the gateway stops.
// Jobs that must not be lost, such as the outcome of a call, are posted with must.
func (g *Gateway) post(id int64, must bool, j job) bool {
	return g.poke(id, func(w *worker) bool {
		if !must && len(w.jobs) >= g.set.Queue {
			return false
		}
		w.jobs = append(w.jobs, j)
		return true
	})
}

// poke changes what a worker waits for, under its lock, and starts its goroutine.
func (g *Gateway) poke(id int64, change func(w *worker) bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	w := g.workers[id]
	if w == nil {
		w = &worker{g: g, id: id}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !change(w) {
		return false
	}
	if !w.running {
		if !g.spawnLocked(w.run) {
			return false
		}
		w.running = true
	}
	g.workers[id] = w
	return true
}

// run works until nothing is left to do.
func (w *worker) run(ctx context.Context) {
	for {
		jobs, inbound, outward, done := w.take(ctx)
		if done {
			return
		}
		if !w.load(ctx) {
			w.again(ctx)
			w.putBack(jobs, inbound, outward)
			continue
		}
		if w.row.ID == 0 { // unlinked meanwhile
			w.loaded = false
			continue
		}
		for _, j := range jobs {
			w.guard("job", func() { j(ctx, w) })
		}
		w.guard("accept", func() { w.accept(ctx) })
		w.emptied()
		if inbound && w.mayTakeIn() {
			w.guard("events", func() { w.takeIn(ctx) })
		}
		if outward && w.call == nil {
			w.guard("calls", func() { w.sendOut(ctx) })
		}
	}
}

// take picks up what there is to do; done tells that the goroutine has to end, and that
// the worker has given up being running.
func (w *worker) take(ctx context.Context) (jobs []job, inbound, outward, done bool) {
	w.g.mu.Lock()
	defer w.g.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	jobs, inbound, outward = w.jobs, w.inbound, w.outward
	held := w.gaps > 0 || w.g.away.Load()
	idle := len(jobs) == 0 && (!inbound || held) && !outward
	if idle || ctx.Err() != nil {
		w.running = false
		if idle && w.disposable() {
			if w.g.workers[w.id] == w {
				delete(w.g.workers, w.id)
			}
		}
		return nil, false, false, true
	}
	w.jobs, w.inbound, w.outward = nil, inbound && held, false
	return jobs, inbound && !held, outward, false
}

// disposable tells whether a worker that has nothing to do may be forgotten.
func (w *worker) disposable() bool {
	return w.room == nil && w.call == nil && w.head == nil && w.timer == nil && w.gaps == 0 && !w.open && w.pending == 0 && w.queued == 0
}

func (w *worker) putBack(jobs []job, inbound, outward bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.jobs = append(jobs, w.jobs...)
	w.inbound, w.outward = w.inbound || inbound, w.outward || outward
}

// load reads the room's row when the worker is new.
func (w *worker) load(ctx context.Context) bool {
	if w.loaded {
		return true
	}
	row, ok, err := w.g.store.RoomByID(ctx, w.id)
	if err != nil {
		w.g.log.Error("reading a room", "room", w.id, "error", err)
		return false
	}
	if !ok {
		w.mu.Lock()
		w.jobs, w.inbound, w.outward, w.pending, w.queued = nil, false, false, 0, 0
		w.mu.Unlock()
	}
	w.row = row
	if ok { // a call whose outcome is not known must be known of before any event is
		if err := w.loadHead(ctx); err != nil {
			w.g.log.Error("reading the outbox", "room", w.row.Net, "error", err)
			return false
		}
	}
	w.loaded = true
	return true
}

// guard keeps a panic in one step from ending more than that step.
func (w *worker) guard(what string, f func()) {
	defer func() {
		if v := recover(); v != nil {
			w.g.Counters.Panics.Add(1)
			w.g.log.Error("panic in a room", "room", w.row.Net, "step", what, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
	}()
	f()
}

// again waits a moment after a failure of the store.
func (w *worker) again(ctx context.Context) {
	w.backoff = min(max(2*w.backoff, 100*time.Millisecond), 10*time.Second)
	t := time.NewTimer(w.backoff)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// commit writes a batch, for as long as it takes where nothing but the disk is in the way.
func (w *worker) commit(ctx context.Context, b *tables.Batch) error {
	err := w.g.store.Commit(ctx, b)
	if err == nil {
		w.backoff = 0
	}
	return err
}

// persist is commit for what must not be lost: it tries until it succeeds or ctx ends.
func (w *worker) persist(ctx context.Context, b *tables.Batch) bool {
	for {
		err := w.commit(ctx, b)
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		w.g.log.Error("writing what a room has done; trying again", "room", w.row.Net, "error", err)
		w.again(ctx)
		if ctx.Err() != nil {
			return false
		}
	}
}

// wakeAt makes the worker look at its outbox at a time to come.
func (w *worker) wakeAt(d time.Duration) {
	if w.timer != nil {
		w.timer.Stop()
	}
	var t *time.Timer
	t = time.AfterFunc(max(d, time.Millisecond), func() {
		w.g.post(w.id, true, func(_ context.Context, w *worker) {
			if w.timer == t {
				w.timer = nil
				w.lookOut()
			}
		})
	})
	w.timer = t
}

// lookOut makes the next round look at the outbox.
func (w *worker) lookOut() {
	w.mu.Lock()
	w.outward = true
	w.mu.Unlock()
}

// lookIn makes the next round look at the inbox.
func (w *worker) lookIn() {
	w.mu.Lock()
	w.inbound = true
	w.mu.Unlock()
}

// shut is called when the gateway has stopped and no goroutine is left.
func (w *worker) shut() {
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	if w.room != nil {
		w.room.Close()
		w.room = nil
	}
}

// account is the one whose view this room is, nil where it is shared.
func (w *worker) account() *account {
	if w.row.Scope == "" {
		return nil
	}
	return w.g.account(w.row.Scope)
}

// mayTakeIn tells whether events may be worked on now.
func (w *worker) mayTakeIn() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.gaps == 0 && !w.g.away.Load()
}

// isOpen tells whether messages of the past may be missing.
func (w *worker) isOpen() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open
}

// direct tells whether this is the conversation of two people.
func (w *worker) direct() bool { return w.row.Kind == transports.Direct }
