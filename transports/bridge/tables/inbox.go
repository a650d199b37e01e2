package tables

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/scan"
	"github.com/dragoman-im/dragoman/transports"
)

const (
	receiveSQL = `INSERT INTO bridge_inbox (seq, room, account, key, kind, lane, place, data, at, state)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (room, key) DO NOTHING`

	roomExistsSQL = `SELECT EXISTS (SELECT 1 FROM bridge_rooms WHERE id = ?)`

	// A live event that is held by a backfill takes the position that the history gives it.
	toHistorySQL = `UPDATE bridge_inbox SET lane = 0, place = ? WHERE room = ? AND key = ? AND state = 0 AND lane = 1`

	eventColumns = `SELECT seq, room, account, key, kind, lane, place, data, at, state, out, error FROM bridge_inbox `

	pendingEventsSQL = eventColumns + `WHERE room = ? AND state = 0 ORDER BY lane, place LIMIT ?`
	readyEventsSQL   = eventColumns + `WHERE state = 1 AND room IN (SELECT id FROM bridge_rooms WHERE gateway = ?) ORDER BY place`
	failedEventsSQL  = eventColumns + `WHERE state = 2 AND room IN (SELECT id FROM bridge_rooms WHERE gateway = ?) ORDER BY seq LIMIT ?`

	doneEventSQL   = `UPDATE bridge_inbox SET state = 3, data = '', out = NULL, error = NULL WHERE seq = ?`
	readyEventSQL  = `UPDATE bridge_inbox SET state = 1, data = '', out = ?, place = ?, error = NULL WHERE seq = ?`
	failedEventSQL = `UPDATE bridge_inbox SET state = 2, error = ? WHERE seq = ?`
	replayEventSQL = `UPDATE bridge_inbox SET state = 0, error = NULL WHERE seq = ? AND state = 2 RETURNING room`
)

// Receive adds events, except those whose key their room has seen; a pending one that comes again with
// PriorityNow moves to its position there, and those whose room was deleted meanwhile. states are the logins' resume states that
// belong to them. It tells which of the events are new.
func (s *Store) Receive(ctx context.Context, events []Event, states map[transports.LoginID]json.RawMessage) ([]bool, error) {
	added, err := s.receive(ctx, events, states)
	if !Gone(err) {
		return added, err
	}
	left, err := s.withRoom(ctx, events)
	if err != nil {
		return nil, err
	}
	rest := make([]Event, len(left))
	for i, n := range left {
		rest[i] = events[n]
	}
	some, err := s.receive(ctx, rest, states)
	if err != nil {
		return nil, err
	}
	added = make([]bool, len(events))
	for i, n := range left {
		added[n] = some[i]
	}
	return added, nil
}

// Gone reports whether a write has failed because what its rows belong to was deleted.
func Gone(err error) bool {
	e, ok := errors.AsType[*stanza.Error](err)
	return ok && e.Condition == "item-not-found"
}

// withRoom returns the places of the events whose rooms exist.
func (s *Store) withRoom(ctx context.Context, events []Event) (left []int, err error) {
	exists := map[int64]bool{}
	for i, e := range events {
		there, known := exists[e.Room]
		if !known {
			if err := s.engine.Reader().QueryRowContext(ctx, roomExistsSQL, e.Room).Scan(&there); err != nil {
				return nil, err
			}
			exists[e.Room] = there
		}
		if there {
			left = append(left, i)
		}
	}
	return left, nil
}

// receive is Receive where all rooms exist.
func (s *Store) receive(ctx context.Context, events []Event, states map[transports.LoginID]json.RawMessage) ([]bool, error) {
	added := make([]bool, len(events))
	receive := s.receiveEach
	if !s.Local() {
		receive = s.receiveAll
	}
	err := s.engine.Write(ctx, func(tx *sql.Tx) error {
		if err := receive(tx, events, added); err != nil {
			return fmt.Errorf("keep events: %w", err)
		}
		if err := s.putStates(tx, states); err != nil {
			return fmt.Errorf("keep states of logins: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return added, nil
}

func (s *Store) receiveEach(tx *sql.Tx, events []Event, added []bool) error {
	for i, e := range events {
		res, err := tx.Exec(receiveSQL, e.Seq, e.Room, string(e.Login), e.Key, e.Kind, int64(e.Priority), e.Position, e.Data, micros(e.At))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		added[i] = n > 0
		if n > 0 || e.Priority != PriorityNow {
			continue
		}
		if _, err := tx.Exec(toHistorySQL, e.Position, e.Room, e.Key); err != nil {
			return err
		}
	}
	return nil
}

func readEvent(row scan.Row) (e Event, err error) {
	var at int64
	var problem sql.NullString
	err = row.Scan(&e.Seq, &e.Room, &e.Login, &e.Key, &e.Kind, &e.Priority, &e.Position, &e.Data, &at, &e.State, &e.Deliveries, &problem)
	e.At, e.Error = moment(at), problem.String
	return e, err
}

// PendingEvents are a room's new events in order.
func (s *Store) PendingEvents(ctx context.Context, room int64, limit int) ([]Event, error) {
	return scan.Rows(ctx, s.engine.Reader(), readEvent, pendingEventsSQL, room, limit)
}

// ReadyEvents are all events with deliveries that were perhaps not handed to the server, in order.
func (s *Store) ReadyEvents(ctx context.Context) ([]Event, error) {
	return scan.Rows(ctx, s.engine.Reader(), readEvent, readyEventsSQL, s.id)
}

// FailedEvents are events that were put aside, the oldest first.
func (s *Store) FailedEvents(ctx context.Context, limit int) ([]Event, error) {
	return scan.Rows(ctx, s.engine.Reader(), readEvent, failedEventsSQL, s.id, limit)
}

// MarkDelivered marks ready events as done and removes what they held, and their marks (Marks).
func (s *Store) MarkDelivered(ctx context.Context, seqs []int64) error {
	const most = 2000 // rows in one transaction, so that others need not wait long
	for len(seqs) > 0 {
		n := min(len(seqs), most)
		done := make([]EventUpdate, n)
		for i, seq := range seqs[:n] {
			done[i] = EventUpdate{Seq: seq, State: EventDone}
		}
		err := s.engine.Write(ctx, func(tx *sql.Tx) error {
			if err := s.commitEvents(tx, &Batch{Inbox: InboxBatch{Events: done}}); err != nil || s.Local() {
				return err
			}
			_, err := tx.Exec(dropMarksSQL, seqs[:n])
			return err
		})
		if err != nil {
			return fmt.Errorf("mark %d events: %w", n, err)
		}
		seqs = seqs[n:]
	}
	return nil
}

// Replay makes failed events new again and returns their rooms.
func (s *Store) Replay(ctx context.Context, seqs []int64) (rooms []int64, err error) {
	err = s.engine.Write(ctx, func(tx *sql.Tx) error {
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
