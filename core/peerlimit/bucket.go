package peerlimit

import "time"

// bucket counts events and forgets them at a constant rate.
type bucket struct {
	level float64
	at    time.Duration // of level, since the start of its owner
}

// limit is a number of events in a time.
type limit struct {
	n   int
	per time.Duration
}

func (l limit) off() bool { return l.n <= 0 }

// drain forgets what is old. A time that goes backwards has no effect.
func (b *bucket) drain(now time.Duration, l limit) {
	if now > b.at {
		b.level = max(0, b.level-float64(l.n)*float64(now-b.at)/float64(l.per))
		b.at = now
	}
}

// add counts one event and returns when it is within the limit.
func (b *bucket) add(now time.Duration, l limit) time.Duration {
	b.drain(now, l)
	b.level++
	over := b.level - float64(l.n)
	if over <= 0 {
		return 0
	}
	return time.Duration(over * float64(l.per) / float64(l.n))
}

// undo takes one event back.
func (b *bucket) undo() { b.level = max(0, b.level-1) }
