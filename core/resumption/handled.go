package resumption

import (
	"sync"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// HandledHooks are called without a lock, and must not block.
type HandledHooks struct {
	// Save stores the count, and calls done after the commit; nil if there is nothing to be stored.
	Save func(n uint32, done func(error))
	// Answer tells the client that n stanzas are handled.
	Answer func(n uint32)
	// Failed is called once when a write has failed that may succeed later. From then on nothing is handled: the client sends
	// those stanzas again when it resumes.
	Failed func()
}

// Handled counts the stanzas of one connection's client that are handled (XEP-0198 §4). Begin, End and Request are called
// by the goroutine that reads from the client; tokens are used by any.
type Handled struct {
	hooks HandledHooks

	mu       sync.Mutex
	received uint32   // stanzas that were received, without the one of next
	pending  []*Token // stanzas whose writes have not ended, in order
	failed   bool
	asked    requests
	saved    uint32 // what is stored
	saving   bool
	drained  chan struct{} // closed when pending is empty; nil unless Wait waits

	next *Token // of the stanza that is being handled
}

// requests are those of the client that are not answered. One answer is due as soon as the stanzas before the first of them are handled:
// waiting for those that come after it would never end while the client sends more.
type requests struct {
	open        bool
	first, last uint32 // stanzas that were received before the first one, and before the last
}

func (r *requests) add(received uint32) {
	if !r.open {
		r.open, r.first = true, received
	}
	r.last = received
}

// due reports whether the first request can be answered when n stanzas are handled.
func (r *requests) due(n uint32) bool { return r.open && int32(n-r.first) >= 0 }

// answered removes the requests that the answer n is for.
func (r *requests) answered(n uint32) {
	r.open = int32(n-r.last) < 0
	r.first = r.last
}

// Token is one stanza, for those who write what must not be lost.
type Token struct {
	of      *Handled
	number  uint32
	writes  int  // that have not ended
	used    bool // there was a write
	pending bool // it is in Handled.pending
	done    func(error)
}

// NewHandled returns a counter that begins with n; saved is what is stored already.
func NewHandled(n, saved uint32, hooks HandledHooks) *Handled {
	return &Handled{hooks: hooks, received: n, saved: saved}
}

// Begin returns the token of the next stanza. Call End after it.
func (h *Handled) Begin() *Token {
	if h.next == nil {
		t := &Token{of: h}
		t.done = t.end // one function for all writes of the stanza
		h.next = t
	}
	h.next.number = h.received + 1
	return h.next
}

// End counts the stanza of Begin.
func (h *Handled) End() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.received++ // at 2^32 it wraps (XEP-0198 §4)
	if t := h.next; t != nil && t.used {
		h.next = nil
	}
}

// BeginWrite implements router.Writes.
func (t *Token) BeginWrite() func(error) {
	h := t.of
	h.mu.Lock()
	defer h.mu.Unlock()
	if !t.pending {
		h.insert(t)
	}
	t.used = true
	t.writes++
	return t.done
}

// insert adds a token to pending, by its number: a write of an earlier stanza can begin later.
func (h *Handled) insert(t *Token) {
	i := len(h.pending)
	for i > 0 && int32(h.pending[i-1].number-t.number) > 0 {
		i--
	}
	h.pending = append(h.pending, nil)
	copy(h.pending[i+1:], h.pending[i:])
	h.pending[i], t.pending = t, true
}

func (t *Token) end(err error) { t.of.ended(t, err) }

// ended handles the end of a write.
func (h *Handled) ended(t *Token, err error) {
	h.mu.Lock()
	t.writes--
	failed := err != nil && stanza.Temporary(err) && !h.failed
	h.failed = h.failed || failed
	if !h.failed {
		n := 0
		for ; n < len(h.pending) && h.pending[n].writes == 0; n++ {
			h.pending[n].pending = false
		}
		if rest := copy(h.pending, h.pending[n:]); n > 0 {
			clear(h.pending[rest:])
			h.pending = h.pending[:rest]
		}
	}
	if len(h.pending) == 0 || h.failed {
		h.wake()
	}
	h.proceed() // unlocks
	if failed && h.hooks.Failed != nil {
		h.hooks.Failed()
	}
}

func (h *Handled) wake() {
	if h.drained != nil {
		close(h.drained)
		h.drained = nil
	}
}

// count returns the number of stanzas that are handled. The lock is held.
func (h *Handled) count() uint32 {
	if len(h.pending) > 0 {
		return h.pending[0].number - 1
	}
	return h.received
}

// Request says that the client wants to know how many stanzas are handled.
func (h *Handled) Request() {
	h.mu.Lock()
	h.asked.add(h.received)
	h.proceed()
}

// proceed answers the client, or saves the count before that. The lock is held; proceed unlocks it.
func (h *Handled) proceed() {
	n := h.count()
	if h.saving || h.failed || !h.asked.due(n) {
		h.mu.Unlock()
		return
	}
	if h.hooks.Save == nil || n == h.saved {
		h.asked.answered(n)
		h.mu.Unlock()
		h.hooks.Answer(n)
		return
	}
	h.saving = true
	h.mu.Unlock()
	h.hooks.Save(n, func(err error) { h.hasSaved(n, err) })
}

// hasSaved handles the end of a call of Save.
func (h *Handled) hasSaved(n uint32, err error) {
	h.mu.Lock()
	h.saving = false
	failed := err != nil && !h.failed
	h.failed = h.failed || failed
	answer := !h.failed && int32(h.count()-n) >= 0 // else a write is still to end that was not committed before
	if err == nil {
		h.saved = n
	}
	if answer {
		h.asked.answered(n)
	}
	h.mu.Unlock()
	if answer {
		h.hooks.Answer(n)
	} else if failed && h.hooks.Failed != nil {
		h.hooks.Failed()
	}
	h.mu.Lock()
	h.proceed()
}

// Settled returns a channel that is closed when no write is under way, nil if that is so now.
func (h *Handled) Settled() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.pending) == 0 || h.failed {
		return nil
	}
	if h.drained == nil {
		h.drained = make(chan struct{})
	}
	return h.drained
}

// Count returns how many stanzas are handled, and how many of them are known to be stored.
func (h *Handled) Count() (n, saved uint32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.count(), h.saved
}
