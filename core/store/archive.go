package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store/archives"
	"github.com/dragoman-im/dragoman/core/store/schema"
)

// archiving is the store's part that keeps the archives of the accounts.
type archiving struct {
	store *Store
	bulk  *Bulk[archives.Row]
	parts map[*Partition]archiveWriter
}

func newArchiving(s *Store) *archiving {
	a := &archiving{store: s, parts: map[*Partition]archiveWriter{}}
	a.bulk = NewBulk(s, func(p *Partition) BulkWriter[archives.Row] {
		w := archiveWriter{archives.NewWriter(s.dialect == SQLite)}
		a.parts[p] = w
		return w
	})
	return a
}

// archiveWriter is an archives.Writer as a BulkWriter.
type archiveWriter struct{ *archives.Writer }

// WriteRows implements BulkWriter.
func (w archiveWriter) WriteRows(tx *sql.Tx, rows []BulkRow[archives.Row]) error {
	return w.Write(tx, len(rows), func(i int) *archives.Row { return &rows[i].Value }, func(i int, err error) { rows[i].Err = err })
}

// Archive implements mam.Store. Where both sides of a message are accounts of ours and it has one
// id for both, it is kept once. An id that the archive of the account has already is refused.
func (s *Store) Archive(account jid.JID, e archive.Entry, done func(error)) {
	s.archives.parts[s.of(account)].Appended()
	s.archives.bulk.Append(account.String(), archives.NewRow(account, e), done)
}

// WriteArchived runs fn, and archives messages of an account, in one transaction. What the archive has already is
// passed over.
func (s *Store) WriteArchived(ctx context.Context, account jid.JID, list []archive.Entry, fn func(tx *sql.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p := s.of(account)
	w := s.archives.parts[p]
	rows := make([]archives.Row, len(list))
	for i, e := range list {
		rows[i] = archives.NewRow(account, e)
		w.Appended()
	}
	result := make(chan error, 1)
	p.writeAsync(&write{
		fn: func(tx *sql.Tx) error {
			if err := w.Write(tx, len(rows), func(i int) *archives.Row { return &rows[i] }, func(int, error) {}); err != nil {
				return err
			}
			return w.Undo(fn(tx))
		},
		done: func(err error) {
			w.Ended(len(rows), err)
			result <- err
		},
	})
	return <-result
}

// refresh returns when everything that was archived for an account before is visible to queries.
func (a *archiving) refresh(ctx context.Context, account jid.JID) error {
	if a.parts[a.store.of(account)].UpToDate() {
		return nil
	}
	return a.change(ctx, account, func(*sql.Tx, *archives.Writer) error { return nil })
}

// change runs fn in the account's partition when all of its entries are visible.
func (a *archiving) change(ctx context.Context, account jid.JID, fn func(tx *sql.Tx, w *archives.Writer) error) error {
	p := a.store.of(account)
	w := a.parts[p].Writer
	return p.WriteThen(ctx, func(tx *sql.Tx) error {
		if err := w.Refresh(tx, account); err != nil {
			return err
		}
		return w.Undo(fn(tx, w))
	}, func() { w.Ended(0, nil) })
}

// Query implements archive.Store. It sees all that Archive was called for before: a client
// asks about ids that it has just been given.
func (s *Store) Query(ctx context.Context, account jid.JID, f archive.Filter, p archive.Page) (archive.Result, error) {
	err := s.archives.refresh(ctx, account)
	if err == nil {
		var r archive.Result
		if r, err = archives.Query(ctx, s.reads, account, f, p); err == nil {
			return r, nil
		}
	}
	if !errors.Is(err, archive.ErrNoEntry) {
		err = fmt.Errorf("query archive of %s: %w", account, err)
	}
	return archive.Result{}, err
}

// Prefs implements archive.PrefsStore.
func (s *Store) Prefs(ctx context.Context, account jid.JID) (archive.Prefs, error) {
	return archives.Prefs(ctx, s.reads, account)
}

// SetPrefs implements archive.PrefsStore: it replaces all.
func (s *Store) SetPrefs(ctx context.Context, account jid.JID, p archive.Prefs) error {
	return s.Write(ctx, func(tx *sql.Tx) error { return archives.SetPrefs(tx, account, p) })
}

// Ends implements archive.Store.
func (s *Store) Ends(ctx context.Context, account jid.JID) (first, last archive.Mark, err error) {
	if err = s.archives.refresh(ctx, account); err == nil {
		first, last, err = archives.Ends(ctx, s.reads, account)
	}
	if err != nil {
		err = fmt.Errorf("read ends of archive of %s: %w", account, err)
	}
	return first, last, err
}

// Retract implements mam.Store: it turns a message into a tombstone if it is there.
func (s *Store) Retract(ctx context.Context, account jid.JID, r archive.Retraction) error {
	err := s.archives.refresh(ctx, account)
	if err == nil {
		var positions []int64
		if positions, err = archives.FindRetracted(ctx, s.reads, account, r); err == nil && len(positions) > 0 {
			err = s.archives.change(ctx, account, func(tx *sql.Tx, w *archives.Writer) error { return w.Retract(tx, account, positions, r) })
		}
	}
	if err != nil {
		return fmt.Errorf("retract message of %s: %w", account, err)
	}
	return nil
}

// NewEntries implements indexing.Store.
func (s *Store) NewEntries() (entries map[int64]int, rows int64) {
	entries = map[int64]int{}
	for _, w := range s.archives.parts {
		for number, n := range w.TakeNew() {
			entries[number] += n
		}
		rows += w.Appends()
	}
	return entries, rows
}

// CompleteArchives implements indexing.Store.
func (s *Store) CompleteArchives(ctx context.Context) error {
	if s.dialect == Postgres {
		return nil
	}
	return s.CompleteTables(ctx)
}

// deleteWords deletes the index of a deleted account's archive in small steps.
func (s *Store) deleteWords(ctx context.Context, account jid.JID) error {
	number, err := archives.Number(ctx, s.reads, account)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		err = archives.Words.Drop(ctx, s.reads, s, number)
	}
	if err != nil {
		return fmt.Errorf("delete word index of %s: %w", account, err)
	}
	return nil
}

// Pruning says which archived messages are too old.
type Pruning = archives.Pruning

// PruneArchive deletes messages that are too old, in small steps: see archives.Writer.Prune.
func (s *Store) PruneArchive(ctx context.Context, p Pruning) (deleted, after int64, err error) {
	err = s.archives.change(ctx, jid.JID{}, func(tx *sql.Tx, w *archives.Writer) (err error) {
		deleted, after, err = w.Prune(tx, p)
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("prune archives: %w", err)
	}
	return deleted, after, nil
}

// deletePiece is how many entries of a deleted account's archive are deleted in one transaction.
const deletePiece = 1000

// deleteArchive deletes an archive in small steps, before the account itself is deleted.
func (s *Store) deleteArchive(ctx context.Context, account jid.JID) error {
	if err := s.deleteWords(ctx, account); err != nil {
		return err
	}
	for n := deletePiece; n == deletePiece; {
		err := s.archives.change(ctx, account, func(tx *sql.Tx, _ *archives.Writer) (err error) {
			n, err = archives.DeleteOldest(tx, account, deletePiece)
			return err
		})
		if err != nil {
			return fmt.Errorf("delete archive of %s: %w", account, err)
		}
	}
	return nil
}

const (
	moveArchiveVersion      = 9
	deleteToServicesVersion = 15
)

// archiveMigrations are the migrations of archives that need more than SQL: to the tables of package archives, and without
// what was sent to services.
func archiveMigrations(d Dialect) []*goose.Migration {
	down := func(ctx context.Context, tx *sql.Tx) error {
		makeOld := archives.OldTableSQL
		if d == Postgres {
			makeOld = string(schema.PostgresTypes([]byte(makeOld)))
		}
		return archives.MoveBack(ctx, tx, makeOld, d == SQLite)
	}
	return []*goose.Migration{
		goose.NewGoMigration(moveArchiveVersion, &goose.GoFunc{RunTx: archives.Move}, &goose.GoFunc{RunTx: down}),
		goose.NewGoMigration(deleteToServicesVersion, &goose.GoFunc{RunTx: archives.DeleteToServices}, nil),
	}
}
