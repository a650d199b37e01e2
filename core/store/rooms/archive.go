package rooms

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/dragoman-im/dragoman/core/features/conference"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

const (
	archiveSQL  = `SELECT number FROM room_archives WHERE room = ?`
	messagesSQL = `SELECT archive, position, id, message, nick, occupant, lang, extra, payload FROM room_messages WHERE archive = ?`
	oldestSQL   = ` ORDER BY position LIMIT ?`
	newestSQL   = ` ORDER BY position DESC LIMIT ?`
)

// OpenArchive implements conference.Archives.
func (t *Tables) OpenArchive(ctx context.Context, at jid.JID, recent int) (a conference.Archived, err error) {
	ctx = context.WithoutCancel(ctx) // a context that may end would cost more than the queries
	err = t.store.Reader().QueryRowContext(ctx, archiveSQL, at.String()).Scan(&a.Number)
	if errors.Is(err, sql.ErrNoRows) {
		return a, nil
	}
	if err == nil {
		a.Recent, err = scan.Rows(ctx, t.store.Reader(), scanMessage, messagesSQL+newestSQL, a.Number, max(recent, 1))
	}
	if err != nil {
		return a, fmt.Errorf("open archive: %w", err)
	}
	slices.Reverse(a.Recent)
	if n := len(a.Recent); n > 0 {
		a.Last = a.Recent[n-1].Position
	}
	return a, nil
}

func scanMessage(row scan.Row) (m conference.Message, err error) {
	err = row.Scan(&m.Archive, &m.Position, &m.ID, &m.Message, &m.Nick, &m.Occupant, &m.Lang, &m.Extra, &m.Payload)
	return m, err
}

const appendSQL = `INSERT INTO room_messages (archive, position, id, message, nick, occupant, lang, extra, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`

func insert(tx *sql.Tx, m *conference.Message) error {
	_, err := tx.Exec(appendSQL, m.Archive, m.Position, m.ID, m.Message, m.Nick, m.Occupant, m.Lang, m.Extra, m.Payload)
	if err != nil {
		return fmt.Errorf("archive a message of a room: %w", err)
	}
	return nil
}

// Append implements conference.Archives.
func (t *Tables) Append(at jid.JID, m *conference.Message, r *conference.Retraction, done func(error)) {
	if m == nil {
		t.store.Partition(at.String()).WriteAsync(nil, done)
		return
	}
	t.store.Partition(at.String()).WriteAsync(func(tx *sql.Tx) error {
		if r != nil {
			if _, err := retract(tx, m.Archive, r); err != nil {
				return err
			}
		}
		t.fresh.add(m.Archive) // also if the transaction fails, which costs little
		return insert(tx, m)
	}, done)
}

// Moderate implements conference.Archives.
func (t *Tables) Moderate(ctx context.Context, at jid.JID, m *conference.Message, r *conference.Retraction) (found bool, err error) {
	err = t.store.Partition(at.String()).Write(ctx, func(tx *sql.Tx) error {
		if found, err = retract(tx, m.Archive, r); err != nil || !found {
			return err
		}
		t.fresh.add(m.Archive)
		return insert(tx, m)
	})
	return found, err
}

const (
	targetSQL    = messagesSQL + ` AND id = ?`
	laterSQL     = messagesSQL + ` AND position > ?`
	tombstoneSQL = `UPDATE room_messages SET lang = '', extra = '', payload = ? WHERE archive = ? AND position = ?`
)

// maxCorrections is how many messages after a retracted one are searched for corrections of it.
const maxCorrections = 1000

// retract replaces a message and the corrections of it that the same occupant has sent (XEP-0424 §5, XEP-0308). It returns false if
// there is no such message, or another occupant has sent it.
func retract(tx *sql.Tx, number int64, r *conference.Retraction) (bool, error) {
	of, err := scanMessage(tx.QueryRow(targetSQL, number, r.ID))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("find retracted message: %w", err)
	case r.Occupant != "" && (of.Occupant != r.Occupant || moderated(&of)):
		return false, nil
	}
	later, err := scan.Rows(context.Background(), tx, scanMessage, laterSQL+oldestSQL, number, of.Position, maxCorrections)
	if err != nil {
		return false, fmt.Errorf("find corrections: %w", err)
	}
	gone := []*conference.Message{&of}
	versions := map[string]bool{of.Message: of.Message != ""}
	for i := range later {
		if m := &later[i]; m.Occupant == of.Occupant && versions[corrects(m)] {
			gone, versions[m.Message] = append(gone, m), m.Message != ""
		}
	}
	for _, m := range gone {
		if err := removeWords(tx, m); err != nil {
			return false, err
		}
		if _, err := tx.Exec(tombstoneSQL, r.Payload, number, m.Position); err != nil {
			return false, fmt.Errorf("retract a message of a room: %w", err)
		}
	}
	return true, nil
}

// moderated reports whether a moderator has retracted a message. That stays as it is, whatever its author does (XEP-0425 §5).
func moderated(m *conference.Message) bool {
	st := stanza.Stanza{Kind: stanza.Message, Extra: m.Extra, Payload: m.Payload}
	return st.MayHave(message.NSRetract, "retracted") && st.Child(message.NSRetract, "retracted").Child(room.FeatureModerate, "moderated") != nil
}

// corrects returns the id of the message that m corrects, "" if it is no correction.
func corrects(m *conference.Message) string {
	st := stanza.Stanza{Kind: stanza.Message, Extra: m.Extra, Payload: m.Payload}
	if !st.MayHave(message.NSCorrect, "replace") {
		return ""
	}
	return st.Child(message.NSCorrect, "replace").Attr("id")
}
