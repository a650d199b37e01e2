package store

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/archives"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// What is deleted as too old goes by a clock that does not jump: a start with a wrong clock deletes nothing.
func TestDeletionClock(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	const year = 365 * 24 * time.Hour
	begin := time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC)
	wall, uptime := begin, time.Duration(0)
	var log bytes.Buffer
	start := func() *Clock {
		c := NewClock(s, "archive", func() time.Time { return wall }, slog.New(slog.NewTextHandler(&log, nil)))
		last := uptime
		c.elapsed = func(_, _ time.Time) time.Duration {
			passed := uptime - last
			last = uptime
			return passed
		}
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
		{"right again, while it runs", year, time.Hour, false, year - time.Hour},
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

// Messages that were archived while the clock was ahead do not keep older and younger ones from being deleted when
// their time has come; what was archived while it was behind is not deleted before that.
func TestPruneWithWrongClock(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice)
	now := time.Now().Truncate(time.Second)
	const year = 365 * 24 * time.Hour
	done := make(chan error, 100)
	put := func(text string, at time.Time) {
		t.Helper()
		st := stanza.NewMessage(alice, bob, stanza.TypeChat, stanza.TextElement("", "body", text))
		s.Archive(alice, archive.Entry{ID: storetest.IDAt(at).String(), At: at, Stanza: st}, func(err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	prune := func(keep time.Duration) string {
		t.Helper()
		for after := int64(0); ; {
			var err error
			if _, after, err = s.PruneArchive(t.Context(), archives.Pruning{Before: now.Add(-keep), Now: now, After: after, Limit: 2}); err != nil {
				t.Fatal(err)
			}
			if after == 0 {
				break
			}
		}
		r, err := s.Query(t.Context(), alice, archive.Filter{}, archive.Page{Max: 100})
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, e := range r.Entries {
			list = append(list, e.Stanza.Body())
		}
		return strings.Join(list, " ")
	}
	for _, text := range []string{"f1", "f2", "f3", "f4", "f5"} { // the clock was a year ahead
		put(text, now.Add(year-20*24*time.Hour))
	}
	put("old1", now.Add(-9*24*time.Hour))
	put("old2", now.Add(-8*24*time.Hour))
	put("new1", now.Add(-time.Hour))
	put("new2", now)
	if got := prune(7 * 24 * time.Hour); got != "new1 new2" {
		t.Errorf("left %q", got)
	}

	s = open(t, Options{})
	account(t, s, alice)
	put("before", now.Add(-time.Hour))
	put("clock of 1970", time.Unix(0, 0))
	put("right again", now)
	if got := prune(7 * 24 * time.Hour); got != "before clock of 1970 right again" {
		t.Errorf("left %q", got)
	}
}
