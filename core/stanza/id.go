package stanza

import (
	"encoding/binary"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// idTick is the fraction of a millisecond that an id counts, in nanoseconds.
const idTick = 256

// lastID is the time of the last id, in ticks: ids of one process rise.
var lastID atomic.Int64

// NewID is a fresh id that sorts by time and needs no coordination: a UUID of version 7 (RFC 9562 §5.7), whose
// second field is the fraction of the millisecond in units of 256 ns (§6.2, method 3). Archives find entries by the
// time in their ids. It cannot be guessed, but is no secret: a secret comes from crypto/rand.
func NewID() string {
	at := time.Now().UnixNano() / idTick
	for {
		last := lastID.Load()
		at = max(at, last+1)
		if lastID.CompareAndSwap(last, at) {
			break
		}
	}
	ns := at * idTick
	ms := ns / int64(time.Millisecond)
	var id [16]byte
	binary.BigEndian.PutUint64(id[:], uint64(ms)<<16|0x7000|uint64(ns-ms*int64(time.Millisecond))/idTick)
	// The global source of math/rand/v2 is ChaCha8, seeded by the operating system: whoever sees ids cannot derive the
	// next one, and so cannot answer a request of this server before the peer does. crypto/rand costs a lock and more time.
	binary.BigEndian.PutUint64(id[8:], rand.Uint64()>>2|1<<63)
	return FormatUUID(id)
}

// FormatUUID is the canonical text of a UUID.
func FormatUUID(id [16]byte) string {
	const digits = "0123456789abcdef"
	var text [36]byte
	at := 0
	for i, b := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			text[at] = '-'
			at++
		}
		text[at], text[at+1] = digits[b>>4], digits[b&0xf]
		at += 2
	}
	return string(text[:])
}
