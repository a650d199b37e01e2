package retention

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store/archives"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

// Expiry says what is too old.
type Expiry struct {
	Now  time.Time                           // by a clock that does not jump (store.Clock)
	Host func(account jid.JID) time.Duration // what the configuration says of an account's host
	Most time.Duration                       // what is older was deleted from all archives
}

const archivesSQL = `SELECT a.number, a.account, coalesce(r.own, 0), coalesce(r.granted, 0) FROM archive_accounts a
LEFT JOIN archive_retention r ON r.account = a.account WHERE a.number > ? ORDER BY a.number LIMIT ?`

const archivesAtOnce = 1000

// one is an archive.
type one struct {
	number  int64
	account string
	archive.Retention
}

// Expire deletes what is too old from archives that are kept shorter than all others. expired is called with the number of an archive
// from which something was deleted, and the last position that is gone. An archive that cannot be read does not keep the others from
// being looked at. All entries must be visible.
func (t *Tables) Expire(ctx context.Context, e Expiry, expired func(number, upTo int64)) error {
	var failed error
	for last, more := int64(0), true; more; {
		list, err := scan.Rows(ctx, t.store.Reader(), func(row scan.Row) (a one, err error) {
			var own, granted int64
			err = row.Scan(&a.number, &a.account, &own, &granted)
			a.Retention = archive.Retention{Own: duration(own), Granted: duration(granted)}
			return a, err
		}, archivesSQL, last, archivesAtOnce)
		if err != nil {
			return errors.Join(failed, fmt.Errorf("read archives: %w", err))
		}
		more = len(list) == archivesAtOnce
		for _, a := range list {
			last = a.number
			if err := t.expire(ctx, e, a, expired); err != nil {
				failed = errors.Join(failed, fmt.Errorf("delete what is too old from the archive of %s: %w", a.account, err))
			}
			if ctx.Err() != nil {
				return failed
			}
		}
	}
	return failed
}

func (t *Tables) expire(ctx context.Context, e Expiry, a one, expired func(number, upTo int64)) error {
	account, err := jid.Parse(a.account)
	if err != nil {
		return err
	}
	keep := a.Keep(e.Host(account))
	if keep >= e.Most || keep == archive.Forever {
		return nil
	}
	upTo, err := archives.Expire(ctx, t.store.Reader(), t.store, a.number, archives.Age{Before: e.Now.Add(-keep), Now: e.Now})
	if upTo > 0 {
		expired(a.number, upTo)
	}
	return err
}
