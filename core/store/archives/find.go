package archives

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
)

// idText is the text of an id as it is kept: 16 bytes, or text.
func idText(id []byte) string {
	n := len(archive.ID{})
	switch {
	case len(id) == n:
		return archive.ID(id).String()
	case len(id) == n+1 && id[n] == 0:
		return string(id[:n])
	}
	return string(id)
}

// textID is the form in which an id is kept that is no archive.ID. It never has the length of one.
func textID(id string) []byte {
	if len(id) == len(archive.ID{}) {
		return append([]byte(id), 0)
	}
	return []byte(id)
}

const (
	findByIDSQL = `SELECT e.position FROM archive_entries e CROSS JOIN archive_messages m
WHERE m.number = e.message AND e.archive = ? AND e.position BETWEEN ? AND ? AND m.id = ? ORDER BY e.position LIMIT 1`

	findByTextSQL = `SELECT e.position FROM archive_messages m CROSS JOIN archive_entries e
WHERE m.id = ?2 AND length(m.id) <> 16 AND e.archive = ?1 AND e.position = m.position AND e.message = m.number ORDER BY e.position LIMIT 1`
)

// findEntry finds the position of an entry; archive.ErrNoEntry where there is none.
func findEntry(ctx context.Context, q Reader, a *accountState, id string) (int64, error) {
	if known, ok := archive.ParseID(id); ok {
		return findByID(ctx, q, a, known)
	}
	return findByText(ctx, q, a, id)
}

// findPosition returns the first position behind an entry and the last one before it. If there is no such entry, these
// are positions around the time at which its id was made, both inclusive: a client may then get an entry twice, but
// misses none.
func findPosition(ctx context.Context, q Reader, a *accountState, id string) (from, to int64, err error) {
	position, err := findEntry(ctx, q, a, id)
	if !errors.Is(err, archive.ErrNoEntry) {
		return position + 1, position - 1, err
	}
	known, ok := archive.ParseID(id)
	if !ok {
		return 0, 0, archive.ErrNoEntry
	}
	if err := q.QueryRowContext(ctx, lastPositionSQL, a.number).Scan(&a.last); err != nil {
		return 0, 0, fmt.Errorf("read end of archive: %w", err)
	}
	if !possible(known, a.last) {
		return 0, 0, archive.ErrNoEntry
	}
	return known.Micros(), known.Micros() + a.drift, nil
}

// clockSlack is how far ahead of the clock an id may be: other servers of the same database have clocks of their own.
const clockSlack = 60_000_000

// possible reports whether an id may be of an archive whose last entry has that position.
func possible(id archive.ID, last int64) bool {
	return id.Possible(max(time.Now().UnixMicro(), last) + clockSlack)
}

// findByID looks where the time in the id says, and behind it as far as an entry can be behind its time.
func findByID(ctx context.Context, q Reader, a *accountState, id archive.ID) (int64, error) {
	at := id.Micros()
	return onePosition(q.QueryRowContext(ctx, findByIDSQL, a.number, at, at+a.drift+slack, id[:]))
}

// findByText looks for an id of the other kind, which the server does not make.
func findByText(ctx context.Context, q Reader, a *accountState, id string) (int64, error) {
	return onePosition(q.QueryRowContext(ctx, findByTextSQL, a.number, textID(id)))
}

func onePosition(row *sql.Row) (position int64, err error) {
	err = row.Scan(&position)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, archive.ErrNoEntry
	}
	if err != nil {
		return 0, fmt.Errorf("find entry: %w", err)
	}
	return position, nil
}
