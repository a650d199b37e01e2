package tables

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
)

// Commit writes a batch.
func (s *Store) Commit(ctx context.Context, batch *Batch) error {
	if len(batch.Rooms.Visible)+len(batch.Rooms.Hidden) > 0 {
		defer s.seen.Add(1)
	}
	return s.write(ctx, batch.Sent, func(tx *sql.Tx) error {
		for _, part := range []struct {
			what string
			run  func(*sql.Tx, *Batch) error
		}{
			{"rooms", s.commitRooms}, {"people", s.commitPuppets}, {"ids", s.commitMessages}, {"archive", s.commitArchive},
			{"outbox", s.commitCalls}, {"inbox", s.commitEvents}, {"links", s.commitLinks},
		} {
			if err := part.run(tx, batch); err != nil {
				return fmt.Errorf("commit %s: %w", part.what, err)
			}
		}
		return nil
	})
}

// archiver is an engine that has the archives of accounts too.
type archiver interface {
	WriteArchived(ctx context.Context, account jid.JID, list []archive.Entry, fn func(tx *sql.Tx) error) error
}

// write runs fn in a transaction that also archives what an account has sent. That is one of the account's
// partition: a conversation that an account takes part in has no writes under way then.
func (s *Store) write(ctx context.Context, sent []Sent, fn func(tx *sql.Tx) error) error {
	engine := s.engine
	if p, ok := engine.(partitioned); ok {
		engine = p.Engine
	}
	a, ok := engine.(archiver)
	if !ok || len(sent) == 0 {
		return s.engine.Write(ctx, fn)
	}
	list := make([]archive.Entry, len(sent))
	for i, m := range sent {
		list[i] = archive.Entry{ID: m.Stanza.Entry, At: m.At, Stanza: m.Stanza}
	}
	return a.WriteArchived(ctx, sent[0].Stanza.From.Bare(), list, fn)
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

func (s *Store) commitRooms(tx *sql.Tx, batch *Batch) error {
	for _, r := range batch.Rooms.Rooms {
		if err := updateRoom(tx, r); err != nil {
			return err
		}
	}
	if n := len(batch.Inbox.Progress); n > 0 { // of one room: the last one counts
		last := batch.Inbox.Progress[n-1]
		if _, err := tx.Exec(progressSQL, string(last.Last), micros(last.At), last.Room); err != nil {
			return err
		}
	}
	if err := each(tx, backfilledSQL, batch.Rooms.Backfilled, func(id int64) []any { return []any{id} }); err != nil {
		return err
	}
	err := each(tx, putVisibleSQL, batch.Rooms.Visible, func(v Visibility) []any {
		return []any{string(v.Login), v.Room, v.Joined, v.Writable}
	})
	if err != nil {
		return err
	}
	return each(tx, hideSQL, batch.Rooms.Hidden, func(v Visibility) []any { return []any{string(v.Login), v.Room} })
}

func (s *Store) commitPuppets(tx *sql.Tx, batch *Batch) error {
	for _, u := range batch.Rooms.Puppets {
		if err := s.putPuppet(tx, u); err != nil {
			return err
		}
	}
	for _, c := range batch.Rooms.Contacts {
		if err := addContact(tx, c); err != nil && !Gone(err) { // the events of other logins are kept
			return err
		}
	}
	member := func(m Member) []any { return []any{m.Room, string(m.User)} }
	if err := insert(s, tx, addMembers, batch.Rooms.Members, member); err != nil {
		return err
	}
	return each(tx, dropMemberSQL, batch.Rooms.MembersGone, member)
}

func (s *Store) commitMessages(tx *sql.Tx, batch *Batch) error {
	err := insert(s, tx, addMappings, batch.Messages.Mappings, func(r Mapping) []any {
		return []any{r.Room, string(r.Net), r.Stanza, r.Origin, r.First, r.Part, string(r.Author), r.Sender, micros(r.At), r.Text, r.Deleted, string(r.Thread), string(r.Answers)}
	})
	if err != nil {
		return err
	}
	if err := forMessages(tx, batch.Messages.MediaReplaced, dropMediaSQL); err != nil {
		return err
	}
	if err := insert(s, tx, addMedia, batch.Messages.Media, Media.columns); err != nil {
		return err
	}
	if err := forMessages(tx, batch.Messages.Deleted, goneIDSQL, dropMediaSQL); err != nil {
		return err
	}
	if err := s.commitEchoes(tx, batch); err != nil {
		return err
	}
	reaction := func(r Reaction) []any { return []any{r.Room, string(r.Net), string(r.User), r.Emoji} }
	if err := insert(s, tx, addReactions, batch.Messages.Reactions, reaction); err != nil {
		return err
	}
	return each(tx, unreactSQL, batch.Messages.ReactionsRemoved, reaction)
}

// forMessages runs queries for each message of a list.
func forMessages(tx *sql.Tx, list []Deletion, queries ...string) error {
	for _, d := range list {
		for _, net := range d.Net {
			for _, query := range queries {
				if _, err := tx.Exec(query, d.Room, string(net)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (s *Store) commitEchoes(tx *sql.Tx, batch *Batch) error {
	type key struct {
		room int64
		net  transports.MessageID
		kind string
	}
	echoes := lastByKey(batch.Messages.Echoes, func(e Echo) key { return key{e.Room, e.Net, e.Kind} })
	err := insert(s, tx, addEchoes, echoes, func(e Echo) []any { return []any{e.Room, string(e.Net), e.Kind, micros(e.Until)} })
	if err != nil {
		return err
	}
	if !s.Local() {
		return dropAllEchoes(tx, batch.Messages.EchoesUsed)
	}
	return each(tx, dropEchoSQL, batch.Messages.EchoesUsed, func(e Echo) []any { return []any{e.Room, string(e.Net), e.Kind} })
}

func (s *Store) commitCalls(tx *sql.Tx, batch *Batch) error {
	err := insert(s, tx, addCalls, batch.Outbox.Add, func(o Call) []any {
		return []any{o.Seq, o.Room, string(o.Login), o.Sender.Bare().String(), o.Sender.Resource(), o.Origin, o.Message, o.Stanza, o.Kind, notNull(o.Data),
			int64(o.State), o.Part, o.Attempt, micros(o.Since), micros(o.Created), o.Notified}
	})
	if err != nil {
		return err
	}
	if !s.Local() {
		return putAllCalls(tx, batch.Outbox.Update)
	}
	return each(tx, putCallSQL, batch.Outbox.Update, func(o Call) []any {
		return []any{notNull(o.Data), int64(o.State), o.Part, o.Attempt, micros(o.Since), o.Notified, o.Seq}
	})
}

func notNull(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

func (s *Store) commitEvents(tx *sql.Tx, batch *Batch) error {
	if !s.Local() {
		return commitAllEvents(tx, batch.Inbox.Events)
	}
	for _, e := range batch.Inbox.Events {
		var err error
		switch e.State {
		case EventDone:
			_, err = tx.Exec(doneEventSQL, e.Seq)
		case EventReady:
			_, err = tx.Exec(readyEventSQL, e.Deliveries, e.Position, e.Seq)
		case EventFailed:
			_, err = tx.Exec(failedEventSQL, e.Error, e.Seq)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

const (
	retractSQL            = `UPDATE bridge_archive SET payload = ?, extra = '' WHERE room = ? AND id = ?`
	retractCorrectionsSQL = `UPDATE bridge_archive SET payload = '', extra = '' WHERE room = ? AND corrects = ? AND corrects <> ''`
)

// commitArchive writes what stands between two retractions together: a row may be retracted that was added
// by the same batch.
func (s *Store) commitArchive(tx *sql.Tx, batch *Batch) error {
	rows := batch.Archive
	for len(rows) > 0 {
		n := slices.IndexFunc(rows, func(a Archived) bool { return a.Retract != "" })
		if n < 0 {
			n = len(rows)
		}
		err := insert(s, tx, addArchived, rows[:n], func(a Archived) []any {
			return []any{a.Seq, a.Room, a.ID, a.Message, micros(a.At), a.Nick, a.Occupant, a.Lang, a.Extra, a.Payload, a.Corrects}
		})
		if err != nil {
			return err
		}
		for rows = rows[n:]; len(rows) > 0 && rows[0].Retract != ""; rows = rows[1:] {
			if err := retract(tx, &rows[0]); err != nil {
				return err
			}
		}
	}
	return nil
}

// retract turns a message and its corrections into tombstones. That of a moderator stays as it is, whatever the author does (XEP-0425 §5).
func retract(tx *sql.Tx, a *Archived) error {
	of, err := readRoomArchive(tx.QueryRow(retractedSQL, a.Room, a.Retract))
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return err
	case moderated(of.Payload) && !moderated(a.Payload):
		return nil
	}
	if err := unindex(tx, a.Room, a.Retract); err != nil {
		return err
	}
	if _, err := tx.Exec(retractSQL, a.Payload, a.Room, a.Retract); err != nil {
		return err
	}
	_, err = tx.Exec(retractCorrectionsSQL, a.Room, a.Retract)
	return err
}

// moderated reports whether a payload is the tombstone of a moderator.
func moderated(payload string) bool {
	st := stanza.Stanza{Kind: stanza.Message, Payload: payload}
	return st.MayHave(message.NSRetract, "retracted") && st.Child(message.NSRetract, "retracted").Child(room.FeatureModerate, "moderated") != nil
}
