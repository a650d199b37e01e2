package store

import (
	"log/slog"
	"time"

	"github.com/dragoman-im/dragoman/core/store/clock"
)

// Clock is the time by which old rows are deleted.
type Clock = clock.Clock

// NewClock makes the clock of a part of the server that deletes old rows; now is time.Now.
func NewClock(s clock.Store, name string, now func() time.Time, log *slog.Logger) *Clock {
	return clock.New(s, name, now, log)
}
