package abuse

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

const (
	window     = time.Hour // for which Limits are meant
	maxKnown   = 500       // addresses that an account has written to, which are remembered
	maxCounted = 1000      // strangers that one account counts at a time
)

// contacts are the addresses that an account has written to, and what strangers have sent to it in the present hour.
type contacts struct {
	mu       sync.Mutex
	chosen   Policy
	written  map[jid.JID]struct{}
	began    time.Time
	messages map[jid.JID]int // by stranger
}

func newContacts(p Policy) *contacts { return &contacts{chosen: p} }

func (c *contacts) policy() Policy {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.chosen
}

func (c *contacts) has(other jid.JID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.written[other]
	return ok
}

// note remembers an address. Of too many, some are forgotten; where they are in the roster they are found again.
func (c *contacts) note(other jid.JID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.written[other]; ok {
		return
	}
	if c.written == nil {
		c.written = map[jid.JID]struct{}{}
	}
	for old := range c.written {
		if len(c.written) < maxKnown {
			break
		}
		delete(c.written, old)
	}
	c.written[other] = struct{}{}
	delete(c.messages, other)
}

// verdict is the decision about one stanza of a stranger.
type verdict uint8

const (
	accepted verdict = iota
	tooManyMessages
	tooManySenders
	tooManyReceivers
)

// count counts one stanza of a stranger. A refused one counts too, except that it makes nobody known.
func (c *contacts) count(other jid.JID, l Limits, all *senders) verdict {
	now := time.Now()
	c.mu.Lock()
	if now.Sub(c.began) >= window {
		c.began, c.messages = now, map[jid.JID]int{}
	}
	n, again := c.messages[other]
	full := !again && (l.Senders > 0 && len(c.messages) >= l.Senders || len(c.messages) >= maxCounted)
	if again {
		c.messages[other] = n + 1
	}
	c.mu.Unlock()
	switch {
	case again && l.Messages > 0 && n >= l.Messages:
		return tooManyMessages
	case again:
		return accepted
	case full:
		return tooManySenders
	case !all.take(other, l.Receivers, now):
		return tooManyReceivers
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.messages[other]++
	return accepted
}

const senderBits = 13

// senders counts the accounts that each stranger reaches in the present hour. Strangers that share an entry share a limit; nobody can
// choose them.
type senders struct {
	seed maphash.Seed

	mu    sync.Mutex
	began time.Time
	table [1 << senderBits]uint16
}

func newSenders() *senders { return &senders{seed: maphash.MakeSeed()} }

// take counts one account; false if the limit is reached.
func (s *senders) take(other jid.JID, limit int, now time.Time) bool {
	if limit <= 0 {
		return true
	}
	i := maphash.String(s.seed, other.String()) % (1 << senderBits)
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.began) >= window {
		s.began = now
		clear(s.table[:])
	}
	if int(s.table[i]) >= limit {
		return false
	}
	s.table[i]++
	return true
}
