package transfer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/core/store"
)

const (
	batchRows     = 5000
	batchBytes    = 4 << 20
	progressEvery = time.Second
)

// ErrNotEmpty is a target that has rows already, and not from an interrupted copy.
var ErrNotEmpty = errors.New("the target has data already: name an empty database")

// Progress is how far a copy is. It is reported about once a second, and at the end of each table.
type Progress struct {
	Table     string
	Rows      int64 // copied or compared of this table
	Of        int64 // that it has
	Comparing bool
}

// copier is one copy.
type copier struct {
	from, to *store.Store
	source   *sql.Tx // one snapshot
	tables   []table
	progress func(Progress)
	reported time.Time
}

// Copy copies all rows of one database to another one, and compares them. Called again after it was interrupted
// it goes on. The source must not be written to meanwhile: what is written during a copy is not copied.
func Copy(ctx context.Context, from, to *store.Store, progress func(Progress)) error {
	if err := from.CompleteTables(ctx); err != nil {
		return fmt.Errorf("prepare the source: %w", err)
	}
	tx, err := from.Reader().BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("read the source: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	c := &copier{from: from, to: to, source: tx, progress: progress}
	if err := c.begin(ctx); err != nil {
		return err
	}
	for i := range c.tables {
		if err := c.table(ctx, &c.tables[i]); err != nil {
			return err
		}
	}
	if err := c.numberRows(ctx); err != nil {
		return err
	}
	if err := c.compare(ctx); err != nil {
		return err
	}
	return c.exec(ctx, `DROP TABLE store_copy`)
}

func (c *copier) exec(ctx context.Context, query string, args ...any) error {
	return c.to.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	})
}

// begin compares the schemas and makes the table of the progress where there is none.
func (c *copier) begin(ctx context.Context) (err error) {
	if c.tables, err = readSchema(ctx, c.source, c.from.Dialect()); err != nil {
		return fmt.Errorf("read the source: %w", err)
	}
	target, err := readSchema(ctx, c.to.Reader(), c.to.Dialect())
	if err != nil {
		return fmt.Errorf("read the target: %w", err)
	}
	if err := sameSchema(c.tables, target); err != nil {
		return err
	}
	c.tables = withParentsOf(c.tables, target)
	unfinished, err := c.to.Unfinished(ctx)
	if unfinished || err != nil {
		return err
	}
	for _, t := range c.tables {
		if len(t.key) == 0 { // migrations put the rows there
			continue
		}
		if n, err := count(ctx, c.to.Reader(), t.name); err != nil {
			return fmt.Errorf("read the target: %w", err)
		} else if n > 0 {
			return fmt.Errorf("%w (%s)", ErrNotEmpty, t.name)
		}
	}
	return c.exec(ctx, store.UnfinishedTableSQL)
}

const (
	stateSQL    = `SELECT copied, last, done FROM store_copy WHERE name = ?`
	setStateSQL = `INSERT INTO store_copy (name, copied, last, done) VALUES (?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE SET copied = excluded.copied, last = excluded.last, done = excluded.done`
)

// state is how far one table is.
type state struct {
	copied int64
	last   string // key of the last row
	done   bool
}

func (c *copier) state(ctx context.Context, name string) (s state, err error) {
	err = c.to.Reader().QueryRowContext(ctx, stateSQL, name).Scan(&s.copied, &s.last, &s.done)
	if errors.Is(err, sql.ErrNoRows) {
		return s, nil
	}
	return s, err
}

// table copies one table from where it is.
func (c *copier) table(ctx context.Context, t *table) error {
	s, err := c.state(ctx, t.name)
	if err != nil || s.done {
		return err
	}
	of, err := count(ctx, c.source, t.name)
	if err != nil {
		return fmt.Errorf("read %s: %w", t.name, err)
	}
	behind, err := t.decodeKey(s.last)
	if err != nil {
		return err
	}
	insert := t.insert()
	var batch [][]any
	bytes := 0
	flush := func(done bool) error {
		if s.copied += int64(len(batch)); len(batch) > 0 && len(t.key) > 0 {
			s.last = t.encodeKey(batch[len(batch)-1])
		}
		s.done = done
		if err := c.write(ctx, t, insert, batch, s); err != nil {
			return fmt.Errorf("write %s: %w", t.name, err)
		}
		batch, bytes = batch[:0], 0
		c.report(Progress{Table: t.name, Rows: s.copied, Of: of}, done)
		return nil
	}
	err = t.each(ctx, c.source, behind, func(row []any) error {
		batch = append(batch, slices.Clone(row))
		if bytes += size(row); len(t.key) > 0 && (len(batch) >= batchRows || bytes >= batchBytes) {
			return flush(false)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush(true)
}

// write writes rows and the state in one transaction.
func (c *copier) write(ctx context.Context, t *table, insert *store.Insert, rows [][]any, s state) error {
	return c.to.Write(ctx, func(tx *sql.Tx) error {
		if len(t.key) == 0 {
			if _, err := tx.Exec("DELETE FROM " + t.name); err != nil {
				return err
			}
		}
		if _, err := c.to.InsertRows(tx, insert, rows); err != nil {
			return err
		}
		_, err := tx.Exec(setStateSQL, t.name, s.copied, s.last, s.done)
		return err
	})
}

func (c *copier) report(p Progress, always bool) {
	if now := time.Now(); c.progress != nil && (always || now.Sub(c.reported) >= progressEvery) {
		c.reported = now
		c.progress(p)
	}
}

// numberRows has PostgreSQL number new rows behind those that were copied.
func (c *copier) numberRows(ctx context.Context) error {
	if c.to.Dialect() != store.Postgres {
		return nil
	}
	target, err := readSchema(ctx, c.to.Reader(), store.Postgres)
	if err != nil {
		return fmt.Errorf("read the target: %w", err)
	}
	for _, t := range target {
		for _, col := range t.columns {
			if !col.identity {
				continue
			}
			query := "SELECT setval(pg_get_serial_sequence(?, ?), max(" + col.Name + ")) FROM " + t.name
			if err := c.exec(ctx, query, t.name, col.Name); err != nil {
				return fmt.Errorf("number rows of %s: %w", t.name, err)
			}
		}
	}
	return nil
}
