package gateway

import (
	"context"
	"sync"

	"github.com/dragoman-im/dragoman/core/fairqueue"
	"github.com/dragoman-im/dragoman/core/jid"
)

// Limits of Turn.
const (
	turnsAtOnce = 8
	turnsOfOne  = 100
	allTurns    = 2000
)

// Group owns the goroutines of a gateway. Go starts one between Start and Stop only.
type Group struct {
	recovered func(where string)

	mu      sync.Mutex
	ctx     context.Context // of the goroutines; nil before Start
	stopped bool
	wait    sync.WaitGroup
	turns   *fairqueue.Queue[jid.JID] // nil before Start
}

// NewGroup makes a group; recovered is deferred in each goroutine and has to call recover.
func NewGroup(recovered func(where string)) *Group { return &Group{recovered: recovered} }

// Start lets goroutines run until ctx ends. It returns false where the group was started before.
func (g *Group) Start(ctx context.Context) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ctx != nil {
		return false
	}
	g.ctx = ctx
	g.turns = fairqueue.New[jid.JID](ctx, fairqueue.Options{AtOnce: turnsAtOnce, PerKey: turnsOfOne, Total: allTurns})
	return true
}

// Context returns the context of the goroutines.
func (g *Group) Context() context.Context {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ctx
}

// Go starts a goroutine. It returns false if the group is not started, or is stopped.
func (g *Group) Go(f func(ctx context.Context)) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped || g.ctx == nil {
		return false
	}
	g.wait.Add(1)
	ctx := g.ctx
	go func() {
		defer g.wait.Done()
		defer g.recovered("goroutine")
		f(ctx)
	}()
	return true
}

// Turn has f called once others have had their turn: one call at a time for each asker, and few at once for all. It is for what
// people ask for and others must not wait for. It returns false if too much waits, or the group is not started or is stopped.
func (g *Group) Turn(asker jid.JID, f func(ctx context.Context)) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.stopped && g.turns != nil && g.turns.Enqueue(asker, func(ctx context.Context) {
		defer g.recovered("turn")
		f(ctx)
	}) == nil
}

// Stop makes Go and Turn refuse further work; Wait waits for those that run.
func (g *Group) Stop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopped = true
}

// Wait returns when all goroutines have ended. Calls of Turn that wait are not made any longer.
func (g *Group) Wait() {
	g.mu.Lock()
	turns := g.turns
	g.mu.Unlock()
	g.wait.Wait()
	if turns != nil {
		turns.Stop()
	}
}
