package archive

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Forever is the retention of an archive from which nothing is deleted for its age.
const Forever = time.Duration(1<<63 - 1)

// Retention is how long the archive of one account is kept. Zero fields are not set.
type Retention struct {
	Own     time.Duration // what the account has chosen; it counts where it is shorter
	Granted time.Duration // what an administrator has set in place of what the configuration says of the host
}

// Most is the longest time that the account can choose, where the configuration says host.
func (r Retention) Most(host time.Duration) time.Duration {
	if r.Granted > 0 {
		return r.Granted
	}
	return host
}

// Keep is how long the archive is kept.
func (r Retention) Keep(host time.Duration) time.Duration {
	keep := r.Most(host)
	if r.Own > 0 && r.Own < keep {
		return r.Own
	}
	return keep
}

// maxDays is the longest time in days that somebody can choose: longer than anybody needs, and far from what a time can hold.
const maxDays = 36_500

// ErrDays is returned for what is no number of days.
var ErrDays = errors.New("the number of days is from 1 to " + strconv.Itoa(maxDays))

// ParseDays reads a number of days.
func ParseDays(text string) (time.Duration, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxDays {
		return 0, ErrDays
	}
	return time.Duration(n) * 24 * time.Hour, nil
}

// RetentionText describes a retention, such as "30 days".
func RetentionText(keep time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case keep == Forever:
		return "for ever"
	case keep == day:
		return "1 day"
	case keep%day == 0:
		return strconv.FormatInt(int64(keep/day), 10) + " days"
	}
	return keep.String()
}

// RetentionStore keeps what is set for accounts. The setters do nothing for an account that is not there; 0 takes a setting away.
type RetentionStore interface {
	Retention(ctx context.Context, account jid.JID) (Retention, error)
	SetOwnRetention(ctx context.Context, account jid.JID, keep time.Duration) error
	SetGrantedRetention(ctx context.Context, account jid.JID, keep time.Duration) error
}
