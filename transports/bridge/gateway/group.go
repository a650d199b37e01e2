package gateway

import (
	"context"
	"sync"
)

// Group owns the goroutines of a gateway. Go starts one between Start and Stop only.
type Group struct {
	recovered func(where string)

	mu      sync.Mutex
	ctx     context.Context // of the goroutines; nil before Start
	stopped bool
	wait    sync.WaitGroup
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

// Stop makes Go refuse further goroutines; Wait waits for those that run.
func (g *Group) Stop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopped = true
}

// Wait returns when all goroutines have ended.
func (g *Group) Wait() { g.wait.Wait() }
