package tables

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

const (
	callColumns = `SELECT seq, room, account, sender, resource, origin, message, stanza, kind, data, state, part, attempt, since, created, told FROM bridge_outbox `

	findCallSQL     = callColumns + `WHERE room = ? AND sender = ? AND origin = ? ORDER BY seq DESC LIMIT 1`
	callByStanzaSQL = callColumns + `WHERE room = ? AND state < 2 AND kind IN ('message', 'edit') AND (message = ? OR stanza = ?) ORDER BY sender = ? DESC, seq DESC LIMIT 1`
	sentCallSQL     = callColumns + `WHERE room = ? AND sender = ? AND stanza = ? AND kind = 'message' ORDER BY seq DESC LIMIT 1`
	pendingCallsSQL = callColumns + `WHERE room = ? AND state < 2 ORDER BY seq LIMIT ?`

	putCallSQL = `UPDATE bridge_outbox SET data = ?, state = ?, part = ?, attempt = ?, since = ?, told = ? WHERE seq = ?`
)

func readCall(row scan.Row) (o Call, err error) {
	var sender, resource string
	var since, created int64
	err = row.Scan(&o.Seq, &o.Room, &o.Login, &sender, &resource, &o.Origin, &o.Message, &o.Stanza, &o.Kind, &o.Data,
		&o.State, &o.Part, &o.Attempt, &since, &created, &o.Notified)
	if err != nil {
		return o, err
	}
	o.Since, o.Created = moment(since), moment(created)
	if o.Sender, err = jid.Parse(sender); err == nil && resource != "" {
		o.Sender, err = o.Sender.WithResource(resource)
	}
	return o, err
}

// FindCall finds the call of a stanza that was accepted before.
func (s *Store) FindCall(ctx context.Context, room int64, sender, origin string) (Call, bool, error) {
	o, err := readCall(s.engine.Reader().QueryRowContext(ctx, findCallSQL, room, sender, origin))
	ok, err := found(err)
	return o, ok, err
}

// CallByStanza finds the call of a message or correction by its own id or its id in the archive; sender (a bare JID)
// is preferred, since clients choose their ids.
func (s *Store) CallByStanza(ctx context.Context, room int64, id, sender string) (Call, bool, error) {
	o, err := readCall(s.engine.Reader().QueryRowContext(ctx, callByStanzaSQL, room, id, id, sender))
	ok, err := found(err)
	return o, ok, err
}

// MessageCall finds the call of a message by its id in the archive, whether it is done or not.
func (s *Store) MessageCall(ctx context.Context, room int64, sender, stanza string) (Call, bool, error) {
	o, err := readCall(s.engine.Reader().QueryRowContext(ctx, sentCallSQL, room, sender, stanza))
	ok, err := found(err)
	return o, ok, err
}

// PendingCalls are a room's calls that are queued or sending, in order.
func (s *Store) PendingCalls(ctx context.Context, room int64, limit int) ([]Call, error) {
	list, err := scan.Rows(ctx, s.engine.Reader(), readCall, pendingCallsSQL, room, limit)
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	return list, nil
}
