package store

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports/bridge"
)

const (
	outColumns = `SELECT seq, room, account, sender, resource, origin, message, stanza, kind, data, state, part, attempt, since, created, told FROM bridge_outbox `

	findOutSQL     = outColumns + `WHERE room = ? AND sender = ? AND origin = ? ORDER BY seq DESC LIMIT 1`
	outByStanzaSQL = outColumns + `WHERE room = ? AND state < 2 AND (message = ? OR stanza = ?) ORDER BY sender = ? DESC, seq DESC LIMIT 1`
	pendingOutSQL  = outColumns + `WHERE room = ? AND state < 2 ORDER BY seq LIMIT ?`

	addOutSQL = `INSERT INTO bridge_outbox (seq, room, account, sender, resource, origin, message, stanza, kind, data, state, part, attempt, since, created, told)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	putOutSQL = `UPDATE bridge_outbox SET data = ?, state = ?, part = ?, attempt = ?, since = ?, told = ? WHERE seq = ?`
)

func readOut(row scanner) (o bridge.OutRow, err error) {
	var sender, resource string
	var since, created int64
	err = row.Scan(&o.Seq, &o.Room, &o.Account, &sender, &resource, &o.Origin, &o.Message, &o.Stanza, &o.Kind, &o.Data,
		&o.State, &o.Part, &o.Attempt, &since, &created, &o.Told)
	if err != nil {
		return o, err
	}
	o.Since, o.Created = moment(since), moment(created)
	if o.Sender, err = jid.Parse(sender); err == nil && resource != "" {
		o.Sender, err = o.Sender.WithResource(resource)
	}
	return o, err
}

// FindOut implements bridge.Outbox.
func (b *Bridge) FindOut(ctx context.Context, room int64, sender, origin string) (bridge.OutRow, bool, error) {
	o, err := readOut(b.s.reads.QueryRowContext(ctx, findOutSQL, room, sender, origin))
	ok, err := found(err)
	return o, ok, err
}

// OutByStanza implements bridge.Outbox.
func (b *Bridge) OutByStanza(ctx context.Context, room int64, id, sender string) (bridge.OutRow, bool, error) {
	o, err := readOut(b.s.reads.QueryRowContext(ctx, outByStanzaSQL, room, id, id, sender))
	ok, err := found(err)
	return o, ok, err
}

// PendingOut implements bridge.Outbox.
func (b *Bridge) PendingOut(ctx context.Context, room int64, limit int) ([]bridge.OutRow, error) {
	list, err := scan(ctx, b.s.reads, readOut, pendingOutSQL, room, limit)
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	return list, nil
}
