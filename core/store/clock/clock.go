package clock

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

const (
	// maxStep is how far the clock may be ahead of where it was when it was looked at last, beside the time that has
	// passed since.
	maxStep = 24 * time.Hour
	// confirmTime is how long the server has to run with a clock that is further ahead before it is believed.
	confirmTime = 24 * time.Hour
)

// Store is where the time of the last run is kept, which is core/store.
type Store interface {
	Write(ctx context.Context, fn func(tx *sql.Tx) error) error
}

// Clock tells the time by which old rows are deleted. It is the system's clock, unless that is far ahead of the last
// run: whoever starts the server with a wrong clock must not lose what was kept. Such a clock is believed after the
// server has run with it for a day. A Clock belongs to one goroutine.
type Clock struct {
	name  string
	store interface {
		Write(ctx context.Context, fn func(tx *sql.Tx) error) error
	}
	now     func() time.Time
	log     *slog.Logger
	elapsed func(since, now time.Time) time.Duration // not by the system's clock, which may be set

	looked time.Time // the last time
	ahead  bool      // logged
}

// New makes the clock of a part of the server; now is time.Now.
func New(s Store, name string, now func() time.Time, log *slog.Logger) *Clock {
	return &Clock{name: name, store: s, now: now, log: log, looked: now(), elapsed: func(since, now time.Time) time.Duration { return now.Sub(since) }}
}

const (
	readClockSQL = `SELECT seen, waited FROM deletion_clock WHERE name = ? /*postgres FOR UPDATE*/`
	setClockSQL  = `INSERT INTO deletion_clock (name, seen, waited) VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET seen = excluded.seen, waited = excluded.waited`
)

// Now returns the time. Call it at least every few hours.
func (c *Clock) Now(ctx context.Context) (time.Time, error) {
	now := c.now()
	passed := max(0, c.elapsed(c.looked, now))
	var state clockState
	err := c.store.Write(ctx, func(tx *sql.Tx) error {
		var seen, waited int64
		switch err := tx.QueryRow(readClockSQL, c.name).Scan(&seen, &waited); {
		case errors.Is(err, sql.ErrNoRows):
			state = clockState{seen: now}
		case err != nil:
			return err
		default:
			state = clockState{time.UnixMicro(seen), time.Duration(waited) * time.Microsecond}.step(now, passed)
		}
		_, err := tx.Exec(setClockSQL, c.name, state.seen.UnixMicro(), state.waited.Microseconds())
		return err
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("read the time for deletions: %w", err)
	}
	c.looked = now
	ahead := now.Sub(state.seen) > maxStep
	if ahead && !c.ahead {
		c.log.Error("the clock is far ahead of the last run; old messages are not deleted before the server has run with it for a day. Is it right?",
			"clock", now, "last run", state.seen, "of", c.name)
	}
	c.ahead = ahead
	return state.seen, nil
}

// clockState is what is known of the time.
type clockState struct {
	seen   time.Time
	waited time.Duration
}

// step is the state after some time has passed.
func (s clockState) step(now time.Time, passed time.Duration) clockState {
	s.waited += passed
	if now.After(s.seen.Add(passed+maxStep)) && s.waited < confirmTime {
		s.seen = s.seen.Add(passed)
		return s
	}
	return clockState{seen: now} // also where the clock was set back
}
