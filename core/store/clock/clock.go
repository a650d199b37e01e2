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
	// maxStep is how far the clock may have jumped ahead since it was last read, beyond the time that has passed.
	maxStep = 24 * time.Hour
	// confirmTime is how long the server has to run with a clock that is further ahead, or was set back further, before it counts as right.
	confirmTime = 24 * time.Hour
)

// earliest is before the first release: a clock that shows an earlier time has not been set yet, such as one in 1970 after
// a start without the network.
var earliest = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Store keeps the time of the last run; it is the *store.Store.
type Store interface {
	Write(ctx context.Context, fn func(tx *sql.Tx) error) error
}

// Clock returns the time by which old rows are deleted. It is the system's clock, unless that is far ahead of the last
// run: a server that is started with a wrong clock must not delete what should be kept. Such a clock is used after the
// server has run with it for confirmTime. A clock that was set back is used at once, which deletes less; what was known of the
// time before is kept as long, so that the right time is used at once when it returns. A Clock belongs to one goroutine.
type Clock struct {
	name    string // of its row
	store   Store
	now     func() time.Time
	log     *slog.Logger
	elapsed func(since, now time.Time) time.Duration // not by the system's clock, which may be set

	lastRead time.Time // of the system's clock
	ahead    bool      // it was far ahead then, which is logged once
}

// New makes the clock of a part of the server; now is time.Now.
func New(s Store, name string, now func() time.Time, log *slog.Logger) *Clock {
	return &Clock{name: name, store: s, now: now, log: log, lastRead: now(), elapsed: func(since, now time.Time) time.Duration { return now.Sub(since) }}
}

const (
	readClockSQL = `SELECT seen, waited FROM deletion_clock WHERE name = ? /*postgres FOR UPDATE*/`
	setClockSQL  = `INSERT INTO deletion_clock (name, seen, waited) VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET seen = excluded.seen, waited = excluded.waited`
)

// Now returns the time. Call it at least every few hours.
func (c *Clock) Now(ctx context.Context) (time.Time, error) {
	now := c.now()
	if now.Before(earliest) {
		return now, nil // nothing is so old
	}
	passed := max(0, c.elapsed(c.lastRead, now))
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
	c.lastRead = now
	ahead := now.Sub(state.seen) > maxStep
	if ahead && !c.ahead {
		c.log.Error("the clock is far ahead of the last run; old messages are not deleted before the server has run with it for a day: check the time of this machine",
			"clock", now, "last run", state.seen, "of", c.name)
	}
	c.ahead = ahead
	if now.Before(state.seen) {
		return now, nil
	}
	return state.seen, nil
}

// clockState is a row of deletion_clock.
type clockState struct {
	seen   time.Time     // the last time that counts as right
	waited time.Duration // for how long the server has run with a clock that is far from seen
}

// step returns the state when the system's clock shows now and some time has passed since the last step.
func (s clockState) step(now time.Time, passed time.Duration) clockState {
	ahead, behind := now.After(s.seen.Add(passed+maxStep)), now.Before(s.seen.Add(-maxStep))
	s.waited += passed
	if (ahead || behind) && s.waited < confirmTime {
		s.seen = s.seen.Add(passed)
		return s
	}
	return clockState{seen: now}
}
