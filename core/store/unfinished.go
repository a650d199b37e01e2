package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store/archives"
)

// ErrUnfinished is a database to which another one is being copied.
var ErrUnfinished = errors.New("the database is an unfinished copy: complete it with 'dragoman store copy'")

// UnfinishedTableSQL makes the table that marks an unfinished copy, and says how far it is.
const UnfinishedTableSQL = `CREATE TABLE store_copy (name TEXT NOT NULL PRIMARY KEY, copied BIGINT NOT NULL, last TEXT NOT NULL, done BOOLEAN NOT NULL)`

var unfinishedSQL = [...]string{
	SQLite:   `SELECT count(*) FROM sqlite_schema WHERE name = 'store_copy'`,
	Postgres: `SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'store_copy'`,
}

// Unfinished reports whether the database is an unfinished copy of another one.
func (s *Store) Unfinished(ctx context.Context) (bool, error) {
	var n int
	err := s.reads.QueryRowContext(ctx, unfinishedSQL[s.dialect]).Scan(&n)
	return n > 0, err
}

const allIndexedSQL = `UPDATE archive_state SET indexed = (SELECT coalesce(max(number), 0) FROM archive_messages)`

// CompleteTables writes what the store writes later than the rest, so that the tables can be read without
// knowing about that: on SQLite the entries of archived messages. PostgreSQL has them always, and
// notes that here for SQLite, if the tables are copied there.
func (s *Store) CompleteTables(ctx context.Context) error {
	return s.archives.change(ctx, jid.JID{}, func(tx *sql.Tx, w *archives.Writer) error {
		if s.dialect == SQLite {
			return w.IndexAll(tx)
		}
		_, err := tx.Exec(allIndexedSQL)
		return err
	})
}
