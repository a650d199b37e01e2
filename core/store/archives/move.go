package archives

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

const (
	movePiece      = 512    // messages that are read at once
	moveIndexPiece = 50_000 // messages whose entries are written at once
)

const (
	oldArchiveSQL = `SELECT seq, account, id, at, peer, stanza FROM archive WHERE seq > ? ORDER BY seq LIMIT ?`

	finishMoveSQL = `UPDATE archive_state SET next = ?1 + 1, indexed = ?1`

	dropOldArchiveSQL = `DROP TABLE archive`
)

// moving is the state of the migration.
type moving struct {
	tx       *sql.Tx
	number   int64 // the last that was given out
	seq      int64 // the last row that was read
	accounts map[string]*accountState
	batch    messageBatch
}

// Move is the migration from one row for each account and message, with texts as keys, to archive_messages. Ids
// and times stay what they are, and so do the messages, as XML. It takes about twenty seconds for a million of
// them, and little memory.
func Move(ctx context.Context, tx *sql.Tx) error {
	m := &moving{tx: tx, accounts: map[string]*accountState{}}
	for more := true; more; {
		var err error
		if more, err = m.messages(ctx); err != nil {
			return fmt.Errorf("move archived messages: %w", err)
		}
	}
	for _, a := range m.accounts {
		if _, err := tx.ExecContext(ctx, setDriftSQL, a.drift, a.number); err != nil {
			return err
		}
	}
	for first := int64(1); first <= m.number; first += moveIndexPiece {
		last := first + moveIndexPiece - 1
		if err := errors.Join(indexEntries(tx, first, last), indexContacts(tx, first, last)); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, finishMoveSQL, m.number); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, dropOldArchiveSQL)
	return err
}

// messages moves some messages and reports whether there are more.
func (m *moving) messages(ctx context.Context) (more bool, err error) {
	rows, err := scan.Rows(ctx, m.tx, func(row scan.Row) (r oldRow, err error) {
		err = row.Scan(&r.seq, &r.account, &r.id, &r.at, &r.peer, &r.stanza)
		return r, err
	}, oldArchiveSQL, m.seq, movePiece)
	if err != nil {
		return false, err
	}
	for _, r := range rows {
		if err := m.add(r); err != nil {
			return false, err
		}
		m.seq = r.seq
	}
	err = m.batch.insert(m.tx)
	m.batch.clear()
	return len(rows) == movePiece, err
}

// oldRow is a row of the table before.
type oldRow struct {
	seq, at           int64
	account, id, peer string
	stanza            []byte
}

func (m *moving) add(r oldRow) error {
	a := m.accounts[r.account]
	if a == nil {
		m.number++
		a = &accountState{number: m.number}
		m.accounts[r.account] = a
		if _, err := m.tx.Exec(addAccountSQL, a.number, r.account); err != nil {
			return err
		}
	}
	m.number++
	n := messageRow{number: m.number, receiver: a.number, recContact: contactTextHash(r.peer), form: r.stanza, text: r.id}
	made := r.at
	if id, ok := archive.ParseID(r.id); ok {
		n.id, n.text, made = id, "", id.Micros()
	}
	n.put(a, r.at, made)
	if by := n.position - min(r.at, made); by >= slack {
		a.drift = max(a.drift, by)
	}
	m.batch.messages = append(m.batch.messages, n)
	return nil
}

const (
	// OldTableSQL makes the table that was before, on SQLite.
	OldTableSQL = `CREATE TABLE archive (
    seq       INTEGER NOT NULL PRIMARY KEY,
    account   TEXT    NOT NULL REFERENCES accounts (jid) ON DELETE CASCADE,
    id        TEXT    NOT NULL,
    at        BIGINT  NOT NULL,
    peer      TEXT    NOT NULL,
    resource  TEXT    NOT NULL,
    stanza    TEXT    NOT NULL
);
CREATE UNIQUE INDEX archive_id ON archive (id, account);
CREATE INDEX archive_order ON archive (account, seq);
CREATE INDEX archive_peer ON archive (account, peer, seq);`

	newArchiveSQL = `SELECT e.position, m.late, m.id, m.message FROM archive_accounts a
JOIN archive_entries e ON e.archive = a.number JOIN archive_messages m ON m.number = e.message
WHERE a.account = ? AND e.position > ? ORDER BY e.position LIMIT ?`

	oldInsertSQL = `INSERT INTO archive (account, id, at, peer, resource, stanza) VALUES (?, ?, ?, ?, ?, ?)`
)

// MoveBack undoes Move. makeOld makes the table that was before, in the dialect of the database; deferred is that of
// NewWriter.
func MoveBack(ctx context.Context, tx *sql.Tx, makeOld string, deferred bool) error {
	if _, err := tx.ExecContext(ctx, makeOld); err != nil {
		return err
	}
	w := NewWriter(deferred)
	if err := w.begin(tx); err != nil { // writes the entries that are missing
		return err
	}
	accounts, err := scan.Rows(ctx, tx, func(row scan.Row) (account string, err error) {
		err = row.Scan(&account)
		return account, err
	}, `SELECT account FROM archive_accounts ORDER BY account`)
	if err != nil {
		return err
	}
	for _, account := range accounts {
		for last, more := int64(-1), true; more; {
			if last, more, err = moveDown(ctx, tx, account, last); err != nil {
				return err
			}
		}
	}
	for _, text := range []string{`DELETE FROM archive_contacts`, `DELETE FROM archive_entries`, `DELETE FROM archive_messages`, `DELETE FROM archive_accounts`, `UPDATE archive_state SET next = 1, indexed = 0`} {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

func moveDown(ctx context.Context, tx *sql.Tx, account string, after int64) (last int64, more bool, err error) {
	type entry struct {
		archive.Entry
		position int64
	}
	owner, err := jid.Parse(account)
	if err != nil {
		return 0, false, err
	}
	list, err := scan.Rows(ctx, tx, func(row scan.Row) (e entry, err error) {
		e.Entry, err = scanEntry(row, owner, &e.position)
		return e, err
	}, newArchiveSQL, account, after, movePiece)
	if err != nil {
		return 0, false, err
	}
	for _, e := range list {
		peer := peerOf(owner, e.Stanza)
		_, err := tx.ExecContext(ctx, oldInsertSQL, account, e.ID, e.At.UnixMicro(), peer.Bare().String(), peer.Resource(), string(e.Stanza.AppendXML(nil, stanza.NSClient)))
		if err != nil {
			return 0, false, err
		}
		after = e.position
	}
	return after, len(list) == movePiece, nil
}
