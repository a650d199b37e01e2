package router

import "sync"

// Promises keeps count of what a stream's stanzas have asked to be written and is not
// on disk yet, so that an acknowledgement (XEP-0198 §4) is sent only for what is.
//
// The reader calls Next for every stanza; stages call Begin; Kept is the number of
// stanzas from the first on whose writes are all done.
type Promises struct {
	mu      sync.Mutex
	current uint64
	open    map[uint64]int // stanza number → writes under way
	failed  error
	changed func()
}

// NewPromises makes an empty count. changed is called, from any goroutine and without
// a lock, whenever Kept may have grown or Err become set; it must not block.
func NewPromises(changed func()) *Promises {
	return &Promises{open: map[uint64]int{}, changed: changed}
}

// Next starts the next stanza.
func (p *Promises) Next() {
	p.mu.Lock()
	p.current++
	p.mu.Unlock()
}

// Begin announces a write for the current stanza; the returned function ends it.
func (p *Promises) Begin() func(error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.current
	p.open[n]++
	var once sync.Once
	return func(err error) { once.Do(func() { p.end(n, err) }) }
}

func (p *Promises) end(n uint64, err error) {
	p.mu.Lock()
	if err != nil && p.failed == nil {
		p.failed = err
	}
	if err == nil {
		if p.open[n]--; p.open[n] == 0 {
			delete(p.open, n)
		}
	}
	p.mu.Unlock()
	if p.changed != nil {
		p.changed()
	}
}

// Kept is how many stanzas from the first on are safe. A write that failed is never safe.
func (p *Promises) Kept() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.current
	for n := range p.open {
		kept = min(kept, n-1)
	}
	return kept
}

// Err is the first write that failed; the stream must then be closed.
func (p *Promises) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed
}
