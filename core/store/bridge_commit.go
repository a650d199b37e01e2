package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/dragoman-im/dragoman/transports/bridge"
)

// Commit implements bridge.Store.
func (b *Bridge) Commit(ctx context.Context, batch *bridge.Batch) error {
	return b.s.Write(ctx, func(tx *sql.Tx) error {
		for _, part := range []struct {
			what string
			run  func(*sql.Tx, *bridge.Batch) error
		}{
			{"rooms", b.commitRooms}, {"people", b.commitPeople}, {"ids", b.commitIDs}, {"archive", b.commitArchive},
			{"outbox", b.commitOut}, {"inbox", b.commitEvents},
		} {
			if err := part.run(tx, batch); err != nil {
				return fmt.Errorf("commit %s: %w", part.what, err)
			}
		}
		return nil
	})
}

// each runs one statement for each row.
func each[T any](tx *sql.Tx, query string, rows []T, args func(T) []any) error {
	for _, r := range rows {
		if _, err := tx.Exec(query, args(r)...); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bridge) commitRooms(tx *sql.Tx, batch *bridge.Batch) error {
	for _, r := range batch.Rooms {
		if err := updateRoom(tx, r); err != nil {
			return err
		}
	}
	if n := len(batch.Seen); n > 0 { // of one room: the last one counts
		last := batch.Seen[n-1]
		if _, err := tx.Exec(seenSQL, string(last.Seen), micros(last.At), last.Room); err != nil {
			return err
		}
	}
	if err := each(tx, filledSQL, batch.Filled, func(id int64) []any { return []any{id} }); err != nil {
		return err
	}
	err := each(tx, putVisibleSQL, batch.Visible, func(v bridge.VisibleRow) []any {
		return []any{string(v.Account), v.Room, v.Joined, v.Writable}
	})
	if err != nil {
		return err
	}
	return each(tx, hideSQL, batch.Hidden, func(v bridge.VisibleRow) []any { return []any{string(v.Account), v.Room} })
}

func (b *Bridge) commitPeople(tx *sql.Tx, batch *bridge.Batch) error {
	for _, u := range batch.People {
		if err := b.putPerson(tx, u); err != nil {
			return err
		}
	}
	member := func(m bridge.MemberRow) []any { return []any{m.Room, string(m.User)} }
	if err := each(tx, addMemberSQL, batch.Members, member); err != nil {
		return err
	}
	return each(tx, dropMemberSQL, batch.Left, member)
}

func (b *Bridge) commitIDs(tx *sql.Tx, batch *bridge.Batch) error {
	err := each(tx, putIDSQL, batch.IDs, func(r bridge.IDRow) []any {
		return []any{r.Room, string(r.Net), r.Stanza, r.Origin, r.First, r.Part, string(r.Author), r.Sender, micros(r.At), r.Text, r.Gone}
	})
	if err != nil {
		return err
	}
	for _, g := range batch.Gone {
		for _, net := range g.Net {
			if _, err := tx.Exec(goneIDSQL, g.Room, string(net)); err != nil {
				return err
			}
		}
	}
	if err := each(tx, putEchoSQL, batch.Echoes, func(e bridge.EchoRow) []any { return []any{e.Room, string(e.Net), e.Kind, micros(e.Until)} }); err != nil {
		return err
	}
	if err := each(tx, dropEchoSQL, batch.EchoesHad, func(e bridge.EchoRow) []any { return []any{e.Room, string(e.Net), e.Kind} }); err != nil {
		return err
	}
	reaction := func(r bridge.ReactionRow) []any { return []any{r.Room, string(r.Net), string(r.User), r.Emoji} }
	if err := each(tx, reactSQL, batch.React, reaction); err != nil {
		return err
	}
	return each(tx, unreactSQL, batch.Unreact, reaction)
}

func (b *Bridge) commitOut(tx *sql.Tx, batch *bridge.Batch) error {
	err := each(tx, addOutSQL, batch.NewOut, func(o bridge.OutRow) []any {
		return []any{o.Seq, o.Room, string(o.Account), o.Sender.Bare().String(), o.Sender.Resource(), o.Origin, o.Message, o.Stanza, o.Kind, notNull(o.Data),
			int64(o.State), o.Part, o.Attempt, micros(o.Since), micros(o.Created), o.Told}
	})
	if err != nil {
		return err
	}
	return each(tx, putOutSQL, batch.Out, func(o bridge.OutRow) []any {
		return []any{notNull(o.Data), int64(o.State), o.Part, o.Attempt, micros(o.Since), o.Told, o.Seq}
	})
}

func notNull(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

func (b *Bridge) commitEvents(tx *sql.Tx, batch *bridge.Batch) error {
	for _, e := range batch.Events {
		var err error
		switch e.State {
		case bridge.EventDone:
			_, err = tx.Exec(doneEventSQL, e.Seq)
		case bridge.EventReady:
			_, err = tx.Exec(readyEventSQL, e.Out, e.Order, e.Seq)
		case bridge.EventFailed:
			_, err = tx.Exec(failedEventSQL, e.Error, e.Seq)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

const (
	addArchiveSQL = `INSERT INTO bridge_archive (seq, room, id, message, at, nick, who, lang, extra, payload)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (room, id) DO NOTHING`
	retractSQL = `UPDATE bridge_archive SET payload = ?, extra = '' WHERE room = ? AND id = ?`
)

func (b *Bridge) commitArchive(tx *sql.Tx, batch *bridge.Batch) error {
	for _, a := range batch.Archive {
		var err error
		if a.Retract != "" {
			_, err = tx.Exec(retractSQL, a.Payload, a.Room, a.Retract)
		} else {
			_, err = tx.Exec(addArchiveSQL, a.Seq, a.Room, a.ID, a.Message, micros(a.At), a.Nick, a.Who, a.Lang, a.Extra, a.Payload)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
