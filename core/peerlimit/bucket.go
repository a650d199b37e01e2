package peerlimit

import "time"

// bucket counts events and forgets them at a constant rate.
type bucket struct {
	level float64
	at    time.Duration // when level was computed, since the start of the owner
}

// limit is a number of events in a time.
type limit struct {
	n   int
	per time.Duration
}

func (l limit) off() bool { return l.n <= 0 }

// drain lowers the level by what the limit allows in the time since the last call. A time that goes backwards has no effect.
func (b *bucket) drain(now time.Duration, l limit) {
	if now > b.at {
		b.level = max(0, b.level-float64(l.n)*float64(now-b.at)/float64(l.per))
		b.at = now
	}
}

// add counts one event and returns how long it has to wait to be within the limit; 0 if it is.
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
