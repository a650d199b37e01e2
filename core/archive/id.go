package archive

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// ID is an id that sorts by time: a UUID of version 7 (RFC 9562 §5.7) whose second field is the fraction
// of the millisecond in units of 256 ns. The store finds an entry by the time in its id. The ids of
// stanza.NewID are such.
type ID [16]byte

const idLength = 36 // of the text

// NewIDAt makes an id of a moment.
func NewIDAt(t time.Time) ID {
	var id ID
	ms, ns := t.UnixMilli(), t.Nanosecond()%int(time.Millisecond)
	binary.BigEndian.PutUint64(id[:], uint64(ms)<<16|0x7000|uint64(ns>>8))
	_, _ = rand.Read(id[8:]) // never fails
	id[8] = id[8]&0x3f | 0x80
	return id
}

// ParseID reads the canonical text of an id of version 7; other ids are not of this type.
func ParseID(s string) (id ID, ok bool) {
	if len(s) != idLength || s[14] != '7' {
		return ID{}, false
	}
	for i := 0; i < idLength; {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if s[i] != '-' {
				return ID{}, false
			}
			i++
			continue
		}
		high, low := digit(s[i]), digit(s[i+1])
		if high|low > 0xf {
			return ID{}, false
		}
		id[(i-dashesBefore(i))/2] = high<<4 | low
		i += 2
	}
	return id, true
}

// digit is the value of a hexadecimal digit in lower case, or 0xff.
func digit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}

// dashesBefore is how many dashes are before a place in the text.
func dashesBefore(i int) int {
	switch {
	case i < 8:
		return 0
	case i < 13:
		return 1
	case i < 18:
		return 2
	case i < 23:
		return 3
	}
	return 4
}

// String is the canonical text.
func (id ID) String() string {
	var b [idLength]byte
	for i, part := range [...]struct{ from, to, at int }{{0, 4, 0}, {4, 6, 9}, {6, 8, 14}, {8, 10, 19}, {10, 16, 24}} {
		if i > 0 {
			b[part.at-1] = '-'
		}
		hex.Encode(b[part.at:], id[part.from:part.to])
	}
	return string(b[:])
}

// Micros is when the id was made, in microseconds since 1970.
func (id ID) Micros() int64 {
	first := binary.BigEndian.Uint64(id[:])
	return int64(first>>16)*1000 + int64(first&0xfff)<<8/1000
}
