package resumable

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/resumption"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

// Sessions stores the sessions of all accounts. It is a resumption.Store and a resumption.Archive.
type Sessions struct {
	store *store.Store
	log   *slog.Logger

	mu     sync.Mutex
	queues map[*store.Partition]*progressQueue
}

// New returns the sessions in a store.
func New(s *store.Store, log *slog.Logger) *Sessions {
	return &Sessions{store: s, log: log, queues: map[*store.Partition]*progressQueue{}}
}

const (
	// An account that has been deleted meanwhile gets no row. Of a row that is there only the facts change: the rest is
	// SaveProgress's.
	saveSessionSQL = `INSERT INTO resumable (id, account, resource, hash, client, seconds, since, facts, handled, acked, archived)
SELECT ?, jid, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM accounts WHERE jid = ?
ON CONFLICT (account, id) DO UPDATE SET facts = excluded.facts`

	endSessionSQL = `DELETE FROM resumable WHERE account = ? AND id = ?`

	// What was revoked meanwhile is not restored.
	suspendSQL = `UPDATE resumable SET seconds = ?, since = ?, facts = ?, handled = ?, acked = ?, archived = ? WHERE account = ? AND id = ?`

	keepStanzaSQL = `INSERT INTO unacknowledged (account, session, id, number, entry, at, stanza)
SELECT account, id, ?, ?, ?, ?, ? FROM resumable WHERE account = ? AND id = ?`

	forgetStanzaSQL  = `DELETE FROM unacknowledged WHERE account = ? AND session = ? AND id = ?`
	forgetStanzasSQL = `DELETE FROM unacknowledged WHERE account = ? AND session = ?`
)

// SaveSession implements resumption.Store.
func (s *Sessions) SaveSession(account jid.JID, session func() resumption.Saved, done func(error)) {
	s.resume(account, "session not stored", done, func(tx *sql.Tx) error {
		v := session()
		_, err := tx.Exec(saveSessionSQL, v.ID.Name, v.JID.Resource(), v.ID.Hash(), v.Client, int64(v.Max/time.Second), time.Now().UnixMicro(), string(v.Facts),
			int64(v.Handled), int64(v.Acked), v.After.UnixMicro(), account.String())
		return err
	})
}

// KeepStanza implements resumption.Store.
func (s *Sessions) KeepStanza(account jid.JID, name string, st resumption.Stanza) {
	s.resume(account, "unacknowledged stanza not stored", nil, func(tx *sql.Tx) error { return keepStanza(tx, account, name, st) })
}

func keepStanza(tx *sql.Tx, account jid.JID, name string, st resumption.Stanza) error {
	_, err := tx.Exec(keepStanzaSQL, st.ID, int64(st.Number), st.Stanza.Entry, st.At.UnixMicro(), string(st.Stanza.AppendXML(nil, stanza.NSClient)), account.Bare().String(), name)
	return err
}

// ForgetStanzas implements resumption.Store.
func (s *Sessions) ForgetStanzas(account jid.JID, name string, ids []string) {
	s.resume(account, "acknowledged stanzas not deleted", nil, func(tx *sql.Tx) error {
		for _, id := range ids {
			if _, err := tx.Exec(forgetStanzaSQL, account.Bare().String(), name, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// EndSession implements resumption.Store.
func (s *Sessions) EndSession(account jid.JID, name string) {
	s.resume(account, "session not deleted", nil, func(tx *sql.Tx) error {
		_, err := tx.Exec(endSessionSQL, account.Bare().String(), name)
		return err
	})
}

// resume queues a write about a session that can be resumed.
func (s *Sessions) resume(account jid.JID, problem string, done func(error), write func(*sql.Tx) error) {
	s.store.Partition(account.String()).WriteAsync(write, func(err error) {
		if err != nil && !stanza.Temporary(err) {
			s.log.Warn(problem, "account", account, "err", err)
		}
		if done != nil {
			done(err)
		}
	})
}

// Suspend implements resumption.Archive.
func (s *Sessions) Suspend(ctx context.Context, v resumption.Saved, list []resumption.Stanza) error {
	err := s.store.Partition(v.JID.Bare().String()).Write(ctx, func(tx *sql.Tx) error {
		r, err := tx.Exec(suspendSQL, int64(v.Max/time.Second), time.Now().UnixMicro(), string(v.Facts), int64(v.Handled), int64(v.Acked), v.After.UnixMicro(), v.JID.Bare().String(), v.ID.Name)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return resumption.ErrNoSession
		}
		if _, err := tx.Exec(forgetStanzasSQL, v.JID.Bare().String(), v.ID.Name); err != nil {
			return err
		}
		for _, st := range list {
			if err := keepStanza(tx, v.JID, v.ID.Name, st); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store session %s: %w", v.JID, err)
	}
	return nil
}

const (
	sessionColumns = `id, account, resource, hash, client, seconds, facts, handled, acked, archived`

	suspendedSQL       = `SELECT ` + sessionColumns + ` FROM resumable WHERE account = ? AND id = ?`
	suspendedBeforeSQL = `SELECT ` + sessionColumns + ` FROM resumable WHERE since < ? ORDER BY since LIMIT ?`
	unacknowledgedSQL  = `SELECT id, number, entry, at, stanza FROM unacknowledged WHERE account = ? AND session = ? ORDER BY at, id`
)

// Suspended implements resumption.Archive.
func (s *Sessions) Suspended(ctx context.Context, account jid.JID, name string) (resumption.Saved, []resumption.Stanza, error) {
	list, err := scan.Rows(ctx, s.store.Reader(), scanSession, suspendedSQL, account.Bare().String(), name)
	if err == nil && len(list) == 0 {
		err = resumption.ErrNoSession
	}
	if err != nil {
		return resumption.Saved{}, nil, fmt.Errorf("read session of %s: %w", account, err)
	}
	stanzas, err := scan.Rows(ctx, s.store.Reader(), func(row scan.Row) (st resumption.Stanza, err error) {
		var entry, text string
		var number, at int64
		if err := row.Scan(&st.ID, &number, &entry, &at, &text); err != nil {
			return st, err
		}
		st.Number, st.At = uint32(number), time.UnixMicro(at)
		if st.Stanza, err = stanza.Parse(text); err != nil {
			s.log.Error("unacknowledged stanza not readable", "account", account, "id", st.ID, "err", err)
			return st, nil
		}
		st.Stanza.Entry = entry
		return st, nil
	}, unacknowledgedSQL, account.Bare().String(), name)
	if err != nil {
		return resumption.Saved{}, nil, fmt.Errorf("read unacknowledged stanzas of %s: %w", account, err)
	}
	readable := stanzas[:0]
	for _, st := range stanzas {
		if st.Stanza != nil {
			readable = append(readable, st)
		}
	}
	return list[0], readable, nil
}

func scanSession(row scan.Row) (v resumption.Saved, err error) {
	var name, account, resource, facts string
	var hash []byte
	var seconds, handled, acked, archived int64
	if err := row.Scan(&name, &account, &resource, &hash, &v.Client, &seconds, &facts, &handled, &acked, &archived); err != nil {
		return v, err
	}
	bare, err := jid.Parse(account)
	if err != nil {
		return v, err
	}
	v.JID, err = bare.WithResource(resource)
	v.ID, v.Max, v.Facts = resumption.StoredID(name, hash), time.Duration(seconds)*time.Second, []byte(facts)
	v.Handled, v.Acked, v.After = uint32(handled), uint32(acked), time.UnixMicro(archived)
	return v, err
}

// SuspendedBefore implements resumption.Archive.
func (s *Sessions) SuspendedBefore(ctx context.Context, start time.Time, limit int) ([]resumption.Saved, error) {
	list, err := scan.Rows(ctx, s.store.Reader(), scanSession, suspendedBeforeSQL, start.UnixMicro(), limit)
	if err != nil {
		return nil, fmt.Errorf("list stored sessions: %w", err)
	}
	return list, nil
}

// ArchivedSince implements resumption.Archive.
func (s *Sessions) ArchivedSince(ctx context.Context, account jid.JID, from time.Time, limit int) ([]archive.Entry, bool, error) {
	r, err := s.store.Query(ctx, account, archive.Filter{Start: from}, archive.Page{Max: limit})
	if errors.Is(err, archive.ErrNoEntry) {
		return nil, false, nil
	}
	return r.Entries, !r.Complete, err
}
