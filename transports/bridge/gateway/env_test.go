package gateway

import (
	"testing"
	"time"
)

// Numbers are times that rise also while the clock stands still or is set back, and after a restart.
func TestNext(t *testing.T) {
	t.Parallel()
	const first = 3 << 51
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	e := &Env{Now: func() time.Time { return now }}
	e.Continue(first, first)
	last := e.Next()
	if want := first + now.UnixMicro() - numbersSince; last != want {
		t.Fatalf("%d, want %d", last, want)
	}
	rises := func(by int64) {
		t.Helper()
		n := e.Next()
		if n != last+by {
			t.Errorf("the number rises by %d, want %d", n-last, by)
		}
		last = n
	}
	rises(1)
	now = now.Add(time.Second)
	rises(1e6 - 1)
	now = now.Add(-time.Hour)
	rises(1)
	restarted := &Env{Now: e.Now}
	restarted.Continue(first, last)
	e = restarted
	rises(1)
	now = time.Unix(0, 0)
	rises(1)
	now = time.Date(4000, 1, 1, 0, 0, 0, 0, time.UTC)
	if n := e.Next(); n <= last || n >= 4<<51 {
		t.Errorf("%d is not in the range of the gateway", n)
	}
}
