package router

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// AccountSlot is a Slot of any type, as a Feature declares it.
type AccountSlot interface{ setIndex(i int) }

// Slot is the data that one feature caches about each account. It is loaded on first use and dropped with
// the account. Features cache nothing about an account anywhere else.
type Slot[T any] struct {
	// Load reads the value. Several callers may wait for one call.
	Load  func(ctx context.Context, a *Account) (*T, error)
	index int // plus 1
}

func (s *Slot[T]) setIndex(i int) { s.index = i + 1 }

// cell is an account's value of one slot. Every account has one for each slot.
type cell struct {
	value atomic.Value // a *T; nil if not loaded

	mu      sync.Mutex
	loading *load
}

// load is a running call of Slot.Load that other goroutines may wait for.
type load struct {
	done    chan struct{}
	err     error
	changed bool // since it began: what it reads may be out of date; guarded by the cell's lock
}

func (s *Slot[T]) cell(a *Account) *cell {
	if s.index == 0 {
		panic(fmt.Sprintf("router: slot %T is declared by no feature", s))
	}
	return &a.cells[s.index-1]
}

// Loaded returns the account's value, or nil if it is not loaded or the account is nil.
func (s *Slot[T]) Loaded(a *Account) *T {
	if a == nil {
		return nil
	}
	v, _ := s.cell(a).value.Load().(*T)
	return v
}

// Get returns the account's value and loads it if necessary. The value is shared: callers change it under
// a lock of their own, or replace it with Change.
func (s *Slot[T]) Get(ctx context.Context, a *Account) (*T, error) {
	c := s.cell(a)
	for {
		if v := s.Loaded(a); v != nil {
			return v, nil
		}
		c.mu.Lock()
		if v := s.Loaded(a); v != nil { // another load has ended since
			c.mu.Unlock()
			return v, nil
		}
		l := c.loading
		if l == nil {
			l = &load{done: make(chan struct{})}
			c.loading = l
			c.mu.Unlock()
			v, err := s.load(ctx, a, c, l)
			if v != nil || err != nil {
				return v, err
			}
			continue // the value was changed while it was read
		}
		c.mu.Unlock()
		select {
		case <-l.done:
			if l.err != nil {
				return nil, l.err
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// load reads the value. It returns nil without an error if the value was changed meanwhile.
func (s *Slot[T]) load(ctx context.Context, a *Account, c *cell, l *load) (v *T, err error) {
	err = fmt.Errorf("load %T: panic", v)
	defer func() {
		c.mu.Lock()
		c.loading, l.err = nil, err
		if err == nil && l.changed {
			v = nil
		} else if err == nil {
			c.value.Store(v)
		}
		c.mu.Unlock()
		close(l.done)
	}()
	v, err = s.Load(context.WithoutCancel(ctx), a) // others wait for it too
	return v, err
}

// Change replaces the value if it is loaded, and repeats a load that is under way. It does nothing for a
// nil account. f must not block.
func (s *Slot[T]) Change(a *Account, f func(*T) *T) {
	if a == nil {
		return
	}
	c := s.cell(a)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loading != nil {
		c.loading.changed = true
	}
	if v, _ := c.value.Load().(*T); v != nil {
		c.value.Store(f(v))
	}
}

// Invalidate makes the next Get load the value again.
func (s *Slot[T]) Invalidate(a *Account) { s.Change(a, func(*T) *T { return nil }) }
