package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"
)

const archiveSQL = `INSERT INTO archive (account, id, at, peer, resource, stanza) VALUES (?, ?, ?, ?, ?, ?)`

// Archive implements mam.Store.
func (s *Store) Archive(account jid.JID, e archive.Entry, done func(error)) {
	peer := e.Stanza.From
	if peer.Bare() == account {
		peer = e.Stanza.To
	}
	at, text := e.At.UnixMicro(), encodeStanza(e.Stanza)
	s.writeAsync(&write{done: done, single: true, fn: func(tx *sql.Tx) error {
		_, err := tx.Exec(archiveSQL, account.String(), e.ID, at, peer.Bare().String(), peer.Resource(), text)
		if foreign(err) {
			return nil // the account has been deleted meanwhile; to look for it first costs each message a sixth
		}
		if err != nil {
			return fmt.Errorf("archive message of %s: %w", account, err)
		}
		return nil
	}})
}

// Query implements archive.Store. It sees all that Archive was called for before: a client
// asks about ids that it has just been given. The count is given only where nothing else
// is asked for: counting reads all that matches.
func (s *Store) Query(ctx context.Context, account jid.JID, f archive.Filter, p archive.Page) (archive.Result, error) {
	if err := s.settle(ctx); err != nil {
		return archive.Result{}, fmt.Errorf("query archive of %s: %w", account, err)
	}
	q := archiveQuery{args: []any{account.String()}}
	q.where.WriteString(`account = ?`)
	if err := s.narrow(ctx, &q, account, f, p); err != nil {
		return archive.Result{}, err
	}
	r := archive.Result{Count: paging.Unknown, Index: paging.Unknown}
	if p.Max == 0 {
		err := s.reads.QueryRowContext(ctx, `SELECT count(*) FROM archive WHERE `+q.where.String(), q.args...).Scan(&r.Count)
		if err != nil {
			return r, fmt.Errorf("count archive of %s: %w", account, err)
		}
		r.Complete = r.Count == 0
		return r, nil
	}
	order := `ASC`
	if p.Backwards {
		order = `DESC`
	}
	entries, err := archiveEntries(s.reads.QueryContext(ctx, `SELECT id, at, stanza FROM archive WHERE `+q.where.String()+
		` ORDER BY seq `+order+` LIMIT ?`, append(q.args, p.Max+1)...))
	if err != nil {
		return r, fmt.Errorf("query archive of %s: %w", account, err)
	}
	r.Complete = len(entries) <= p.Max
	r.Entries = entries[:min(len(entries), p.Max)]
	if p.Backwards {
		slices.Reverse(r.Entries)
	}
	return r, nil
}

// archiveQuery is a WHERE that grows. Whatever comes from outside is an argument.
type archiveQuery struct {
	where strings.Builder
	args  []any
}

func (q *archiveQuery) and(condition string, args ...any) {
	q.where.WriteString(` AND `)
	q.where.WriteString(condition)
	q.args = append(q.args, args...)
}

func (s *Store) narrow(ctx context.Context, q *archiveQuery, account jid.JID, f archive.Filter, p archive.Page) error {
	if !f.With.IsZero() {
		q.and(`peer = ?`, f.With.Bare().String())
		if f.With.IsFull() {
			q.and(`resource = ?`, f.With.Resource())
		}
	}
	if !f.Start.IsZero() {
		q.and(`at >= ?`, f.Start.UnixMicro())
	}
	if !f.End.IsZero() {
		q.and(`at <= ?`, f.End.UnixMicro())
	}
	for _, b := range []struct{ id, condition string }{
		{f.AfterID, `seq > ?`}, {p.After, `seq > ?`}, {f.BeforeID, `seq < ?`}, {p.Before, `seq < ?`},
	} {
		if b.id == "" {
			continue
		}
		seq, err := s.archiveSeq(ctx, account, b.id)
		if err != nil {
			return err
		}
		q.and(b.condition, seq)
	}
	if len(f.IDs) == 0 {
		return nil
	}
	var seqs []any
	for _, id := range f.IDs {
		seq, err := s.archiveSeq(ctx, account, id)
		if err != nil {
			return err
		}
		seqs = append(seqs, seq)
	}
	q.and(`seq IN (?`+strings.Repeat(`, ?`, len(seqs)-1)+`)`, seqs...)
	return nil
}

const archiveSeqSQL = `SELECT seq FROM archive WHERE account = ? AND id = ?`

func (s *Store) archiveSeq(ctx context.Context, account jid.JID, id string) (int64, error) {
	var seq int64
	err := s.reads.QueryRowContext(ctx, archiveSeqSQL, account.String(), id).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, archive.ErrNoEntry
	}
	if err != nil {
		return 0, fmt.Errorf("find entry in archive of %s: %w", account, err)
	}
	return seq, nil
}

func archiveEntries(rows *sql.Rows, err error) ([]archive.Entry, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []archive.Entry
	for rows.Next() {
		var e archive.Entry
		var at int64
		var text string
		if err := rows.Scan(&e.ID, &at, &text); err != nil {
			return nil, err
		}
		e.At = timeOf(at)
		if e.Stanza, err = decodeStanza(text); err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, rows.Err()
}

const archiveEndsSQL = `SELECT id, at FROM archive WHERE seq IN
((SELECT min(seq) FROM archive WHERE account = ?), (SELECT max(seq) FROM archive WHERE account = ?)) ORDER BY seq`

// Ends implements archive.Store.
func (s *Store) Ends(ctx context.Context, account jid.JID) (first, last archive.Mark, err error) {
	fail := func(err error) (archive.Mark, archive.Mark, error) {
		return archive.Mark{}, archive.Mark{}, fmt.Errorf("read ends of archive of %s: %w", account, err)
	}
	if err := s.settle(ctx); err != nil {
		return fail(err)
	}
	rows, err := s.reads.QueryContext(ctx, archiveEndsSQL, account.String(), account.String())
	if err != nil {
		return fail(err)
	}
	defer rows.Close()
	for rows.Next() {
		var at int64
		if err := rows.Scan(&last.ID, &at); err != nil {
			return fail(err)
		}
		last.At = timeOf(at)
		if first.ID == "" {
			first = last
		}
	}
	if err := rows.Err(); err != nil {
		return fail(err)
	}
	return first, last, nil
}

// Only the oldest are looked at: the order of arrival is nearly that of time.
const pruneArchiveSQL = `DELETE FROM archive WHERE seq IN
(SELECT seq FROM (SELECT seq, at FROM archive ORDER BY seq LIMIT ?) AS oldest WHERE at < ?)`

// PruneArchive deletes up to limit messages that are older than before, and tells how many
// those were, so that whoever calls it can go on in small steps.
func (s *Store) PruneArchive(ctx context.Context, before time.Time, limit int) (int64, error) {
	var n int64
	err := s.Write(ctx, func(tx *sql.Tx) (err error) {
		n, err = affected(tx.Exec(pruneArchiveSQL, limit, before.UnixMicro()))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("prune archives: %w", err)
	}
	return n, nil
}
