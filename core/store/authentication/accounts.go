package authentication

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/store"
)

const (
	// sharesFor is how long it is believed how the accounts' credentials look. Other
	// processes change them too, so that our own writes are no measure.
	sharesFor = 5 * time.Minute
	maxShares = 64
)

// Accounts are a host's accounts. It is a sasl.Accounts, and a sasl.Clients and clients.Store for their clients.
type Accounts struct {
	store     *store.Store
	limits    atomic.Pointer[Limits]
	log       *slog.Logger
	host      string
	now       func() time.Time
	known     atomic.Pointer[shares]
	reading   atomic.Bool
	noted     noted
	forgotten atomic.Uint64 // clients that were deleted because their account has too many
}

// New returns the accounts of a host.
func New(s *store.Store, host jid.JID, o Options) *Accounts {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	a := &Accounts{store: s, host: host.Domain(), log: o.Log, now: time.Now}
	a.SetLimits(o.Limits)
	return a
}

// shares are those that were found at a time.
type shares struct {
	list []sasl.Share
	read time.Time
}

// Lookup implements sasl.Accounts.
func (a *Accounts) Lookup(ctx context.Context, username string) (sasl.Credentials, error) {
	account, err := jid.New(username, a.host, "")
	if err != nil {
		return sasl.Credentials{}, sasl.ErrUnknownUser
	}
	c, err := a.store.Credentials(ctx, account)
	if errors.Is(err, store.ErrNoAccount) {
		return c, sasl.ErrUnknownUser
	}
	return c, err
}

// Shares implements sasl.Accounts. One login reads them anew, and the others go by the old
// ones meanwhile.
func (a *Accounts) Shares(ctx context.Context) ([]sasl.Share, error) {
	known := a.known.Load()
	if known != nil {
		if a.now().Sub(known.read) < sharesFor || !a.reading.CompareAndSwap(false, true) {
			return known.list, nil
		}
		defer a.reading.Store(false)
	}
	list, err := a.shares(ctx)
	if err != nil {
		return nil, err
	}
	a.known.Store(&shares{list, a.now()})
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

func (a *Accounts) shares(ctx context.Context) ([]sasl.Share, error) {
	fail := func(err error) ([]sasl.Share, error) {
		return nil, fmt.Errorf("count credentials of %s: %w", a.host, err)
	}
	rows, err := a.store.Reader().QueryContext(context.WithoutCancel(ctx), sharesSQL, "%@"+store.EscapeLike(a.host), maxShares)
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
