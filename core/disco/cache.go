package disco

import (
	"container/list"
	"sync"
)

// Cache keeps what verified capabilities stand for, by hash and verification string, and
// forgets those that were not asked for the longest. Nothing enters it unverified, so
// nobody can make it say wrong things of others (XEP-0115 §5.4, §9).
type Cache struct {
	mu    sync.Mutex
	max   int
	order *list.List // of *cached, the last used in front
	byKey map[key]*list.Element
}

type key struct{ hash, ver string }

type cached struct {
	key  key
	info Info
}

// DefaultCache is a sensible size of a Cache.
const DefaultCache = 2000

// NewCache makes a cache of at most max entries.
func NewCache(max int) *Cache {
	return &Cache{max: max, order: list.New(), byKey: map[key]*list.Element{}}
}

// Get is what the capabilities stand for, if it is known.
func (c *Cache) Get(caps Caps) (Info, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byKey[key{caps.Hash, caps.Ver}]
	if e == nil {
		return Info{}, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).info, true
}

// Put verifies an answer and keeps it.
func (c *Cache) Put(caps Caps, i Info) error {
	if err := caps.Verify(i); err != nil {
		return err
	}
	k := key{caps.Hash, caps.Ver}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.byKey[k]; e != nil {
		c.order.MoveToFront(e)
		return nil
	}
	c.byKey[k] = c.order.PushFront(&cached{k, i.hashed()})
	for c.order.Len() > c.max {
		last := c.order.Back()
		delete(c.byKey, last.Value.(*cached).key)
		c.order.Remove(last)
	}
	return nil
}

// Len is how many entries are kept.
func (c *Cache) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.order.Len()
}
