package tables

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store"
)

// Only the oldest rows are looked at: the order of their numbers is nearly that of time. What claims to be from the
// future, because the clock was wrong, is passed over.
const (
	oldEventsSQL = `SELECT count(*), coalesce(max(seq), 0), count(CASE WHEN at BETWEEN ? AND ? THEN 1 END) FROM (
  SELECT seq, at FROM bridge_inbox WHERE state = 3 AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?) AS oldest`
	pruneInboxSQL = `DELETE FROM bridge_inbox WHERE state = 3 AND seq BETWEEN ? AND ? AND at < ?`
	oldCallsSQL   = `SELECT count(*), coalesce(max(seq), 0), count(CASE WHEN created BETWEEN ? AND ? THEN 1 END) FROM (
  SELECT seq, created FROM bridge_outbox WHERE state > 1 AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?) AS oldest`
	pruneOutboxSQL      = `DELETE FROM bridge_outbox WHERE state > 1 AND seq BETWEEN ? AND ? AND created < ?`
	pruneRoomArchiveSQL = `DELETE FROM bridge_archive WHERE seq IN (
  SELECT a.seq FROM bridge_archive a JOIN bridge_rooms r ON r.id = a.room WHERE r.gateway = ? AND a.at < ? LIMIT ?)`
	pruneEchoesSQL = `DELETE FROM bridge_echoes WHERE until < ? AND room IN (SELECT id FROM bridge_rooms WHERE gateway = ?)`
)

// pruned is how many rows one transaction removes, so that others need not wait long.
const pruned = 1000

// Pruning says what is too old.
type Pruning struct {
	Now     time.Time // what claims to be later was stored while the clock was ahead
	Keys    time.Time // done events and calls that are older are removed
	Archive time.Time // archived messages that are older are removed; zero: none
}

// Prune removes what is too old.
func (s *Store) Prune(ctx context.Context, p Pruning) error {
	for _, r := range s.numberRanges() {
		if err := s.pruneDone(ctx, r, p, oldEventsSQL, pruneInboxSQL); err != nil {
			return err
		}
		if err := s.pruneDone(ctx, r, p, oldCallsSQL, pruneOutboxSQL); err != nil {
			return err
		}
	}
	for n := int64(pruned); !p.Archive.IsZero() && n == pruned; {
		err := s.prune(ctx, func(tx *sql.Tx) error {
			res, err := tx.Exec(pruneRoomArchiveSQL, s.id, micros(p.Archive), pruned)
			if err == nil {
				n, err = res.RowsAffected()
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	if !p.Archive.IsZero() {
		if err := s.exec(ctx, pruneLinkedSQL, micros(p.Archive), s.id); err != nil {
			return err
		}
		if err := s.exec(ctx, pruneReactedSQL, s.id); err != nil {
			return err
		}
		if err := s.exec(ctx, pruneMediaSQL, micros(p.Archive), s.id); err != nil {
			return err
		}
	}
	return s.exec(ctx, pruneEchoesSQL, micros(p.Keys), s.id)
}

// pruneDone removes rows that are done, a few at a time.
func (s *Store) pruneDone(ctx context.Context, r numberRange, p Pruning, look, remove string) error {
	for more := true; more; {
		var last int64
		err := s.prune(ctx, func(tx *sql.Tx) error {
			var found, young int64
			if err := tx.QueryRow(look, micros(p.Keys), micros(p.Now), r.from, r.to, pruned).Scan(&found, &last, &young); err != nil {
				return err
			}
			more = found == pruned && young == 0
			_, err := tx.Exec(remove, r.from, last, micros(p.Keys))
			return err
		})
		if err != nil {
			return err
		}
		r.from = last + 1
	}
	return nil
}

func (s *Store) prune(ctx context.Context, fn func(tx *sql.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.engine.Write(ctx, fn); err != nil {
		return fmt.Errorf("prune: %w", err)
	}
	return nil
}

// Clock is the clock by which old rows are removed.
func (s *Store) Clock(domain jid.JID, now func() time.Time, log *slog.Logger) *store.Clock {
	return store.NewClock(s.engine, "gateway "+domain.String(), now, log)
}
