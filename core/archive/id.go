package archive

import (
	"encoding/binary"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// ID is an id that sorts by time: a UUID of version 7 (RFC 9562 §5.7) whose second field is the fraction
// of the millisecond in units of 256 ns. The store finds an entry by the time in its id. The ids of
// stanza.NewID are such.
type ID [16]byte

const idLength = 36 // of the text

// ParseID reads the canonical text of an id of version 7; other ids are not of this type.
func ParseID(s string) (id ID, ok bool) {
	if len(s) != idLength || s[14] != '7' || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return ID{}, false
	}
	bad := byte(0)
	for i := range id {
		high, low := digits[s[places[i]]], digits[s[places[i]+1]]
		bad |= high | low
		id[i] = high<<4 | low
	}
	if bad > 0xf {
		return ID{}, false
	}
	return id, true
}

// places are where the digits of each byte are in the text.
var places = [16]uint8{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34}

// digits are the values of the hexadecimal digits in lower case, 0xff for other characters.
var digits = func() (d [256]byte) {
	for c := range d {
		d[c] = 0xff
		switch {
		case '0' <= c && c <= '9':
			d[c] = byte(c - '0')
		case 'a' <= c && c <= 'f':
			d[c] = byte(c - 'a' + 10)
		}
	}
	return d
}()

// String is the canonical text.
func (id ID) String() string { return stanza.FormatUUID(id) }

// maxFraction is the largest fraction of a millisecond in an id.
const maxFraction = 999_999 >> 8

// Possible reports whether this server may have made the id, before a time in microseconds. If so, the id is a position
// in an archive also where its entry is not there: it was deleted, or lost when the process was killed.
func (id ID) Possible(before int64) bool {
	return id[6]>>4 == 7 && id[8]>>6 == 2 && binary.BigEndian.Uint16(id[6:])&0xfff <= maxFraction && id.Micros() <= before
}

// Micros is when the id was made, in microseconds since 1970.
func (id ID) Micros() int64 {
	first := binary.BigEndian.Uint64(id[:])
	return int64(first>>16)*1000 + int64(first&0xfff)<<8/1000
}
