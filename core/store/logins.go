package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
)

const (
	// sharesFor is how long it is believed how the accounts' credentials look. Other
	// processes change them too, so that our own writes are no measure.
	sharesFor = 5 * time.Minute
	maxShares = 64
)

// Logins is a host's accounts as its SASL server looks them up.
func (s *Store) Logins(host jid.JID) sasl.Accounts {
	return &logins{store: s, host: host.Domain(), now: time.Now}
}

type logins struct {
	store   *Store
	host    string
	now     func() time.Time
	known   atomic.Pointer[shares]
	reading atomic.Bool
}

// shares are those that were found at a time.
type shares struct {
	list []sasl.Share
	read time.Time
}

// Lookup implements sasl.Accounts.
func (l *logins) Lookup(ctx context.Context, username string) (sasl.Credentials, error) {
	account, err := jid.New(username, l.host, "")
	if err != nil {
		return sasl.Credentials{}, sasl.ErrUnknownUser
	}
	c, err := l.store.Credentials(ctx, account)
	if errors.Is(err, ErrNoAccount) {
		return c, sasl.ErrUnknownUser
	}
	return c, err
}

// Shares implements sasl.Accounts. One login reads them anew, and the others go by the old
// ones meanwhile.
func (l *logins) Shares(ctx context.Context) ([]sasl.Share, error) {
	known := l.known.Load()
	if known != nil {
		if l.now().Sub(known.read) < sharesFor || !l.reading.CompareAndSwap(false, true) {
			return known.list, nil
		}
		defer l.reading.Store(false)
	}
	list, err := l.store.shares(ctx, l.host)
	if err != nil {
		return nil, err
	}
	l.known.Store(&shares{list, l.now()})
	return list, nil
}

// sharesSQL counts the accounts of each shape, those too that have no key of a hash or none
// at all. A localpart has no @.
const sharesSQL = `SELECT salt1, rounds1, salt256, rounds256, salt512, rounds512, count(*) AS accounts FROM (
	SELECT
		coalesce(max(length(c.salt)) FILTER (WHERE c.hash = 'SHA-1'), 0) AS salt1,
		coalesce(max(c.iterations)   FILTER (WHERE c.hash = 'SHA-1'), 0) AS rounds1,
		coalesce(max(length(c.salt)) FILTER (WHERE c.hash = 'SHA-256'), 0) AS salt256,
		coalesce(max(c.iterations)   FILTER (WHERE c.hash = 'SHA-256'), 0) AS rounds256,
		coalesce(max(length(c.salt)) FILTER (WHERE c.hash = 'SHA-512'), 0) AS salt512,
		coalesce(max(c.iterations)   FILTER (WHERE c.hash = 'SHA-512'), 0) AS rounds512
	FROM accounts a LEFT JOIN credentials c ON c.account = a.jid
	WHERE a.jid LIKE ? ESCAPE '\'
	GROUP BY a.jid
) AS shapes GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY accounts DESC, 1, 2, 3, 4, 5, 6 LIMIT ?`

// escapeLike makes a text one that LIKE compares as it is.
func escapeLike(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
}

func (s *Store) shares(ctx context.Context, host string) ([]sasl.Share, error) {
	fail := func(err error) ([]sasl.Share, error) {
		return nil, fmt.Errorf("count credentials of %s: %w", host, err)
	}
	rows, err := s.reads.QueryContext(context.WithoutCancel(ctx), sharesSQL, "%@"+escapeLike(host), maxShares)
	if err != nil {
		return fail(err)
	}
	defer rows.Close()
	var list []sasl.Share
	for rows.Next() {
		var one sasl.Share
		h1, h256, h512 := &one.Shape[sasl.SHA1], &one.Shape[sasl.SHA256], &one.Shape[sasl.SHA512]
		if err := rows.Scan(&h1.Salt, &h1.Iterations, &h256.Salt, &h256.Iterations, &h512.Salt, &h512.Iterations, &one.Accounts); err != nil {
			return fail(err)
		}
		list = append(list, one)
	}
	if err := rows.Err(); err != nil {
		return fail(err)
	}
	return list, nil
}
