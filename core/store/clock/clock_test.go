package clock_test

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/clock"
)

// What is deleted as too old goes by a clock that does not jump: a start with a wrong clock deletes nothing.
func TestDeletionClock(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	const year = 365 * 24 * time.Hour
	begin := time.Date(2028, 11, 30, 10, 0, 0, 0, time.UTC)
	wall, uptime := begin, time.Duration(0)
	var log bytes.Buffer
	start := func() *clock.Clock {
		c := clock.New(s, "archive", func() time.Time { return wall }, slog.New(slog.NewTextHandler(&log, nil)))
		last := uptime
		clock.SetElapsed(c, func(_, _ time.Time) time.Duration {
			passed := uptime - last
			last = uptime
			return passed
		})
		return c
	}
	c := start()
	for i, step := range []struct {
		name    string
		passed  time.Duration // by the clock
		uptime  time.Duration // in truth, while the server runs
		restart bool
		want    time.Duration // behind the clock
	}{
		{"the first start", 0, 0, false, 0},
		{"an hour later", time.Hour, time.Hour, false, 0},
		{"after a night", 20 * time.Hour, 0, true, 0},
		{"a year ahead", year, 0, true, year},
		{"started again", time.Minute, 0, true, year + time.Minute},
		{"an hour later", time.Hour, time.Hour, false, year + time.Minute},
		{"the clock is right again", -year, 0, true, 0},
		{"an hour later", time.Hour, time.Hour, false, 0},
		{"a year back", -year, 0, true, 0},
		{"right again, while it runs", year, time.Hour, false, 0},
		{"a year back, for a day", -year, 25 * time.Hour, false, 0},
		{"a year ahead of that", year, time.Hour, false, year - time.Hour},
		{"and believed", 24 * time.Hour, 24 * time.Hour, false, 0},
	} {
		if step.restart {
			c = start()
		}
		wall, uptime = wall.Add(step.passed), uptime+step.uptime
		log.Reset()
		now, err := c.Now(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if behind := wall.Sub(now); behind != step.want {
			t.Errorf("%d, %s: %v behind the clock, want %v", i, step.name, behind, step.want)
		}
		if logged := strings.Contains(log.String(), "far ahead"); logged && step.want == 0 {
			t.Errorf("%d, %s: logged %s", i, step.name, log.String())
		}
	}
}

// A machine without a clock of its own begins each day in 1970 and gets the time from the network: it deletes what is old, from the
// second day on.
func TestClockIn1970(t *testing.T) {
	t.Parallel()
	for _, day := range []struct {
		name  string
		start time.Time // of the clock, before it is set
	}{{"1970", time.Unix(30, 0)}, {"the date of the firmware", time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)}} {
		t.Run(day.name, func(t *testing.T) {
			t.Parallel()
			s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "db")})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			right := time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC)
			for boot := range 3 {
				wall := day.start
				c := clock.New(s, "archive", func() time.Time { return wall }, slog.New(slog.DiscardHandler))
				clock.SetElapsed(c, func(_, _ time.Time) time.Duration { return time.Hour })
				first, err := c.Now(t.Context())
				if err != nil || first.After(wall) {
					t.Fatalf("%v, with a clock of %v: %v", first, wall, err)
				}
				for range 22 {
					right = right.Add(time.Hour)
					wall = right
					now, err := c.Now(t.Context())
					if err != nil || now.After(wall) || boot > 0 && day.start.Year() == 1970 && !now.Equal(wall) {
						t.Fatalf("boot %d: %v at %v: %v", boot, now, wall, err)
					}
				}
				right = right.Add(2 * time.Hour)
			}
		})
	}
}
