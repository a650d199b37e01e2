package locate

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Times for which answers are kept, whatever they say themselves.
const (
	minKept     = 5 * time.Second
	maxKept     = time.Hour
	maxNegative = 5 * time.Minute
	errorKept   = 10 * time.Second
)

var errBusy = errors.New("too many lookups at once")

// cache keeps the results of lookups for a while, and makes callers that ask for the same key at once wait for one lookup.
// A lookup runs in a goroutine of the Locator: it continues when its caller has given up.
type cache[V any] struct {
	owner   *Locator
	running chan struct{} // semaphore of lookups that run
	timeout time.Duration

	mu      sync.Mutex
	entries map[string]*entry[V]
}

// entry is a value, which is there once done is closed.
type entry[V any] struct {
	done  chan struct{}
	value V
	err   error
	until time.Time // set under the cache's lock when done is closed; zero before
}

func newCache[V any](owner *Locator, running int, timeout time.Duration) *cache[V] {
	return &cache[V]{owner: owner, running: make(chan struct{}, running), timeout: timeout, entries: map[string]*entry[V]{}}
}

// load looks up a value and how long it may be kept.
type load[V any] func(ctx context.Context) (V, time.Duration, error)

// get returns the value of a key. It is looked up if it is not there.
func (c *cache[V]) get(ctx context.Context, key string, look load[V]) (V, error) {
	e := c.entry(key, look)
	select {
	case <-e.done:
		return e.value, e.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

// has reports whether a value is there.
func (c *cache[V]) has(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	return ok && time.Now().Before(e.until)
}

// put keeps a value.
func (c *cache[V]) put(key string, value V, kept time.Duration) {
	e := &entry[V]{done: make(chan struct{}), value: value, until: time.Now().Add(kept)}
	close(e.done)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.evict()
	c.entries[key] = e
}

func (c *cache[V]) entry(key string, look load[V]) *entry[V] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[key]; ok && (e.until.IsZero() || time.Now().Before(e.until)) {
		return e
	}
	e := &entry[V]{done: make(chan struct{})}
	select {
	case c.running <- struct{}{}:
	default:
		e.err = errBusy // not kept: the next one may be in time
		close(e.done)
		return e
	}
	c.evict()
	c.entries[key] = e
	c.owner.all.Go(func() { c.run(e, look) })
	return e
}

// run looks a value up.
func (c *cache[V]) run(e *entry[V], look load[V]) {
	defer func() { <-c.running }()
	ctx, cancel := context.WithTimeout(c.owner.base, c.timeout)
	defer cancel()
	value, kept, err := look(ctx)
	if err != nil {
		kept = errorKept
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e.value, e.err = value, err
	e.until = time.Now().Add(kept)
	close(e.done)
}

// evict makes room for an entry: of a few entries it removes those that have expired, or else the one that expires first. The lock is held.
func (c *cache[V]) evict() {
	if len(c.entries) < maxCached {
		return
	}
	const looked = 16
	now := time.Now()
	first, n, removed := "", 0, false
	for key, e := range c.entries { // in random order
		if n++; n > looked {
			break
		}
		switch {
		case e.until.IsZero(): // being looked up
		case now.After(e.until):
			delete(c.entries, key)
			removed = true
		case first == "" || e.until.Before(c.entries[first].until):
			first = key
		}
	}
	if !removed && first != "" {
		delete(c.entries, first)
	}
}
