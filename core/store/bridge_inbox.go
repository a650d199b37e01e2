package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge"
)

const (
	receiveSQL = `INSERT INTO bridge_inbox (seq, room, account, key, kind, lane, place, data, at, state)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (room, key) DO NOTHING`

	// A live event that waits behind a catch-up takes the place that the history gives it.
	toHistorySQL = `UPDATE bridge_inbox SET lane = 0, place = ? WHERE room = ? AND key = ? AND state = 0 AND lane = 1`

	eventColumns = `SELECT seq, room, account, key, kind, lane, place, data, at, state, out, error FROM bridge_inbox `

	pendingEventsSQL = eventColumns + `WHERE room = ? AND state = 0 ORDER BY lane, place LIMIT ?`
	readyEventsSQL   = eventColumns + `WHERE state = 1 AND seq BETWEEN ? AND ? ORDER BY place`
	failedEventsSQL  = eventColumns + `WHERE state = 2 AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?`

	doneEventSQL   = `UPDATE bridge_inbox SET state = 3, data = '', out = NULL, error = NULL WHERE seq = ?`
	readyEventSQL  = `UPDATE bridge_inbox SET state = 1, data = '', out = ?, place = ?, error = NULL WHERE seq = ?`
	failedEventSQL = `UPDATE bridge_inbox SET state = 2, error = ? WHERE seq = ?`
	replayEventSQL = `UPDATE bridge_inbox SET state = 0, error = NULL WHERE seq = ? AND state = 2 RETURNING room`
)

// The numbers of a gateway's rows: its id stands above the count, so that they are unique
// among all gateways. Archived history of a new room has negative ones.
const seqBits = 40

func (b *Bridge) seqs() (from, to int64) { return b.id << seqBits, (b.id+1)<<seqBits - 1 }

const sequencesSQL = `SELECT max(
  coalesce((SELECT max(seq) FROM bridge_inbox WHERE seq BETWEEN ?1 AND ?2), ?1),
  coalesce((SELECT max(seq) FROM bridge_outbox WHERE seq BETWEEN ?1 AND ?2), ?1),
  coalesce((SELECT max(seq) FROM bridge_archive WHERE seq BETWEEN ?1 AND ?2), ?1),
  coalesce((SELECT max(place) FROM bridge_inbox WHERE state IN (0, 1) AND seq BETWEEN ?1 AND ?2), ?1))`

// Sequences implements bridge.Outbox.
func (b *Bridge) Sequences(ctx context.Context) (last int64, err error) {
	from, to := b.seqs()
	if err := b.s.reads.QueryRowContext(ctx, sequencesSQL, from, to).Scan(&last); err != nil {
		return 0, fmt.Errorf("read last number: %w", err)
	}
	return last, nil
}

// Receive implements bridge.Inbox.
func (b *Bridge) Receive(ctx context.Context, events []bridge.EventRow, states map[transports.LoginID]json.RawMessage) ([]bool, error) {
	added := make([]bool, len(events))
	err := b.s.Write(ctx, func(tx *sql.Tx) error {
		for i, e := range events {
			res, err := tx.Exec(receiveSQL, e.Seq, e.Room, string(e.Account), e.Key, e.Kind, int64(e.Lane), e.Order, e.Data, micros(e.At))
			if err != nil {
				return fmt.Errorf("keep event %s: %w", e.Key, err)
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			added[i] = n > 0
			if n > 0 || e.Lane != bridge.LaneHistory {
				continue
			}
			if _, err := tx.Exec(toHistorySQL, e.Order, e.Room, e.Key); err != nil {
				return fmt.Errorf("move event %s: %w", e.Key, err)
			}
		}
		for id, state := range states {
			if _, err := tx.Exec(putStateSQL, []byte(state), string(id), b.id); err != nil {
				return fmt.Errorf("keep state of account %s: %w", id, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return added, nil
}

func readEvent(row scanner) (e bridge.EventRow, err error) {
	var at int64
	var problem sql.NullString
	err = row.Scan(&e.Seq, &e.Room, &e.Account, &e.Key, &e.Kind, &e.Lane, &e.Order, &e.Data, &at, &e.State, &e.Out, &problem)
	e.At, e.Error = moment(at), problem.String
	return e, err
}

// PendingEvents implements bridge.Inbox.
func (b *Bridge) PendingEvents(ctx context.Context, room int64, limit int) ([]bridge.EventRow, error) {
	return scan(ctx, b.s.reads, readEvent, pendingEventsSQL, room, limit)
}

// ReadyEvents implements bridge.Inbox.
func (b *Bridge) ReadyEvents(ctx context.Context) ([]bridge.EventRow, error) {
	from, to := b.seqs()
	return scan(ctx, b.s.reads, readEvent, readyEventsSQL, from, to)
}

// FailedEvents implements bridge.Inbox.
func (b *Bridge) FailedEvents(ctx context.Context, limit int) ([]bridge.EventRow, error) {
	from, to := b.seqs()
	return scan(ctx, b.s.reads, readEvent, failedEventsSQL, from, to, limit)
}

// HandedOver implements bridge.Inbox.
func (b *Bridge) HandedOver(ctx context.Context, seqs []int64) error {
	const most = 2000 // rows in one transaction, so that others need not wait long
	for len(seqs) > 0 {
		n := min(len(seqs), most)
		err := b.s.Write(ctx, func(tx *sql.Tx) error {
			for _, seq := range seqs[:n] {
				if _, err := tx.Exec(doneEventSQL, seq); err != nil {
					return fmt.Errorf("mark event %d: %w", seq, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		seqs = seqs[n:]
	}
	return nil
}

// Replay implements bridge.Inbox.
func (b *Bridge) Replay(ctx context.Context, seqs []int64) (rooms []int64, err error) {
	err = b.s.Write(ctx, func(tx *sql.Tx) error {
		rooms = nil
		for _, seq := range seqs {
			var room int64
			ok, err := found(tx.QueryRow(replayEventSQL, seq).Scan(&room))
			if err != nil {
				return fmt.Errorf("replay event %d: %w", seq, err)
			}
			if ok {
				rooms = append(rooms, room)
			}
		}
		return nil
	})
	return rooms, err
}

const (
	waitingEventsSQL = `SELECT i.room, count(*), max(i.lane) FROM bridge_inbox i JOIN bridge_rooms r ON r.id = i.room
WHERE i.state = 0 AND r.gateway = ? GROUP BY i.room`
	waitingOutSQL = `SELECT o.room, count(*), group_concat(DISTINCT o.account) FROM bridge_outbox o JOIN bridge_rooms r ON r.id = o.room
WHERE o.state < 2 AND r.gateway = ? GROUP BY o.room`
)

// WaitingRooms implements bridge.Outbox.
func (b *Bridge) WaitingRooms(ctx context.Context) ([]bridge.Waiting, error) {
	list, err := scan(ctx, b.s.reads, func(row scanner) (w bridge.Waiting, err error) {
		var lane int
		err = row.Scan(&w.Room, &w.Events, &lane)
		w.LaneLive = lane == int(bridge.LaneLive)
		return w, err
	}, waitingEventsSQL, b.id)
	if err != nil {
		return nil, fmt.Errorf("read what waits: %w", err)
	}
	at := map[int64]int{}
	for i, w := range list {
		at[w.Room] = i
	}
	outs, err := scan(ctx, b.s.reads, func(row scanner) (w bridge.Waiting, err error) {
		var accounts string
		err = row.Scan(&w.Room, &w.Out, &accounts)
		for a := range strings.SplitSeq(accounts, ",") {
			w.Accounts = append(w.Accounts, transports.LoginID(a))
		}
		return w, err
	}, waitingOutSQL, b.id)
	if err != nil {
		return nil, fmt.Errorf("read what waits: %w", err)
	}
	for _, o := range outs {
		if i, ok := at[o.Room]; ok {
			list[i].Out, list[i].Accounts = o.Out, o.Accounts
		} else {
			list = append(list, o)
		}
	}
	return list, nil
}

const (
	pruneInboxSQL = `DELETE FROM bridge_inbox WHERE seq IN (
  SELECT seq FROM bridge_inbox WHERE state = 3 AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?) AND at < ?`
	pruneOutboxSQL = `DELETE FROM bridge_outbox WHERE seq IN (
  SELECT seq FROM bridge_outbox WHERE state > 1 AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?) AND created < ?`
	pruneRoomArchiveSQL = `DELETE FROM bridge_archive WHERE seq IN (
  SELECT a.seq FROM bridge_archive a JOIN bridge_rooms r ON r.id = a.room WHERE r.gateway = ? AND a.at < ? LIMIT ?)`
	pruneEchoesSQL = `DELETE FROM bridge_echoes WHERE until < ? AND room IN (SELECT id FROM bridge_rooms WHERE gateway = ?)`
)
