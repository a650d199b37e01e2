package transfer

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// ErrDiffers is a copy that is not the same as its source: something has written to one of them.
var ErrDiffers = errors.New("the copy differs from the source: stop what writes to them, and copy again to an empty database")

// compare reads both databases and compares the tables.
func (c *copier) compare(ctx context.Context) error {
	target, err := c.to.Reader().BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("read the target: %w", err)
	}
	defer func() { _ = target.Rollback() }()
	for i := range c.tables {
		t := &c.tables[i]
		of, err := count(ctx, c.source, t.name)
		if err != nil {
			return err
		}
		ours, theirs := &digest{}, &digest{}
		var wg sync.WaitGroup
		var failed error
		wg.Go(func() { failed = theirs.read(ctx, t, target, nil) })
		err = ours.read(ctx, t, c.source, func(rows int64) {
			c.report(Progress{Table: t.name, Rows: rows, Of: of, Comparing: true}, false)
		})
		wg.Wait()
		if err := errors.Join(err, failed); err != nil {
			return err
		}
		c.report(Progress{Table: t.name, Rows: ours.rows, Of: of, Comparing: true}, true)
		if ours.rows != theirs.rows || ours.total != theirs.total {
			return fmt.Errorf("%w (%s: %d rows, hash %.13s; copied: %d rows, hash %.13s)", ErrDiffers, t.name, ours.rows, ours.sum(), theirs.rows, theirs.sum())
		}
	}
	return nil
}

// read hashes all rows of a table.
func (d *digest) read(ctx context.Context, t *table, q querier, progress func(rows int64)) error {
	return t.each(ctx, q, nil, func(row []any) error {
		d.add(row)
		if progress != nil && d.rows%batchRows == 0 {
			progress(d.rows)
		}
		return nil
	})
}
