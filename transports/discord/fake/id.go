package fake

import (
	"strconv"
	"time"
)

// ID is a snowflake: a decimal number of up to 20 digits with the time of its making.
type ID string

// epoch is the first millisecond of 2015, where snowflakes begin. (reference.mdx, Snowflakes)
const epoch = 1420070400000

// Time is when the id was made; the zero time where it is no snowflake.
func (id ID) Time() time.Time {
	n, err := strconv.ParseUint(string(id), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(int64(n>>22) + epoch).UTC()
}

// less orders ids by time: a shorter number is smaller.
func (id ID) less(other ID) bool {
	if len(id) != len(other) {
		return len(id) < len(other)
	}
	return id < other
}

func compareIDs(a, b ID) int {
	switch {
	case a.less(b):
		return -1
	case b.less(a):
		return 1
	}
	return 0
}

// valid reports whether the text is a snowflake.
func (id ID) valid() bool {
	n, err := strconv.ParseUint(string(id), 10, 64)
	return err == nil && strconv.FormatUint(n, 10) == string(id)
}

// newID makes an id that is later than all before it.
func (s *Server) newID() ID {
	next := uint64(s.now().UnixMilli()-epoch) << 22
	if next <= s.lastID {
		next = s.lastID + 1
	}
	s.lastID = next
	return ID(strconv.FormatUint(next, 10))
}

// stamp is a time as Discord writes it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000-07:00") }

// stampOrNull is stamp, or null for the zero time.
func stampOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
