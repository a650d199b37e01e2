package ldap

import (
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/identity"
)

// Limits of the vCards in memory.
const (
	maxCards     = 4096
	maxCardBytes = 16 << 20
	cleanEvery   = time.Minute // how often those are looked for that are too old
	cardOverhead = 256         // bytes of an entry besides its vCard
)

// cards are vCards that were made some minutes ago, by user name. It is a leaf: nothing is locked or read while it is held.
type cards struct {
	now     func() time.Time
	reading chan struct{} // one for each that is being read

	mu      sync.Mutex
	list    map[string]cachedCard
	bytes   int
	cleaned time.Time
}

type cachedCard struct {
	card  identity.Card
	err   error
	until time.Time
	bytes int // set by add
}

func (c cachedCard) size() int {
	if c.card.Element == nil {
		return cardOverhead
	}
	return cardOverhead + c.card.Element.EncodedLen()
}

func (c *cards) find(username string, now time.Time) (identity.Card, error, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.list[username]
	return found.card, found.err, ok && now.Before(found.until)
}

// add adds a vCard, and removes old ones, or any if there are too many.
func (c *cards) add(username string, new cachedCard, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.list == nil {
		c.list = map[string]cachedCard{}
	}
	c.remove(username)
	new.bytes = new.size()
	full := func() bool { return len(c.list) >= maxCards || c.bytes+new.bytes > maxCardBytes }
	if full() && now.Sub(c.cleaned) >= cleanEvery {
		c.cleaned = now
		for name, old := range c.list {
			if !now.Before(old.until) {
				c.remove(name)
			}
		}
	}
	for name := range c.list {
		if !full() {
			break
		}
		c.remove(name)
	}
	if !full() {
		c.list[username] = new
		c.bytes += new.bytes
	}
}

func (c *cards) remove(username string) {
	if old, ok := c.list[username]; ok {
		c.bytes -= old.bytes
		delete(c.list, username)
	}
}
