package store

import (
	"context"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge"
)

const (
	idColumns = `SELECT room, net, stanza, origin, first, part, author, sender, at, body, gone FROM bridge_ids `

	idsByNetSQL    = idColumns + `WHERE room = ? AND net = ? ORDER BY first <> '', at, stanza`
	idsByStanzaSQL = idColumns + `WHERE room = ? AND stanza = ? ORDER BY part`
	idsByOriginSQL = idColumns + `WHERE room = ? AND origin = ? AND origin <> stanza ORDER BY sender = ? DESC, at DESC, part LIMIT 1`

	putIDSQL = `INSERT INTO bridge_ids (room, net, stanza, origin, first, part, author, sender, at, body, gone)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (room, net, stanza) DO NOTHING`
	goneIDSQL = `UPDATE bridge_ids SET gone = TRUE, body = '' WHERE room = ? AND net = ?`

	hasEchoSQL = `SELECT 1 FROM bridge_echoes WHERE room = ? AND net = ? AND kind = ? AND until >= ?`
	putEchoSQL = `INSERT INTO bridge_echoes (room, net, kind, until) VALUES (?, ?, ?, ?)
ON CONFLICT (room, net, kind) DO UPDATE SET until = excluded.until`
	dropEchoSQL = `DELETE FROM bridge_echoes WHERE room = ? AND net = ? AND kind = ?`

	reactionsSQL = `SELECT emoji FROM bridge_reactions WHERE room = ? AND net = ? AND person = ? ORDER BY emoji`
	reactSQL     = `INSERT INTO bridge_reactions (room, net, person, emoji) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`
	unreactSQL   = `DELETE FROM bridge_reactions WHERE room = ? AND net = ? AND person = ? AND emoji = ?`
)

func readID(row scanner) (r bridge.IDRow, err error) {
	var at int64
	err = row.Scan(&r.Room, &r.Net, &r.Stanza, &r.Origin, &r.First, &r.Part, &r.Author, &r.Sender, &at, &r.Text, &r.Gone)
	r.At = moment(at)
	return r, err
}

// IDsByNet implements bridge.IDs.
func (b *Bridge) IDsByNet(ctx context.Context, room int64, net transports.MessageID) ([]bridge.IDRow, error) {
	list, err := scan(ctx, b.s.reads, readID, idsByNetSQL, room, string(net))
	if err != nil {
		return nil, fmt.Errorf("look up message: %w", err)
	}
	return list, nil
}

// IDsByStanza implements bridge.IDs.
func (b *Bridge) IDsByStanza(ctx context.Context, room int64, id, sender string) ([]bridge.IDRow, error) {
	list, err := scan(ctx, b.s.reads, readID, idsByStanzaSQL, room, id)
	if err != nil || len(list) > 0 {
		return list, err
	}
	one, err := scan(ctx, b.s.reads, readID, idsByOriginSQL, room, id, sender)
	if err != nil || len(one) == 0 {
		return nil, err
	}
	return scan(ctx, b.s.reads, readID, idsByStanzaSQL, room, one[0].Stanza)
}

// HasEcho implements bridge.IDs.
func (b *Bridge) HasEcho(ctx context.Context, e bridge.EchoRow, now time.Time) (bool, error) {
	var one int
	return found(b.s.reads.QueryRowContext(ctx, hasEchoSQL, e.Room, string(e.Net), e.Kind, micros(now)).Scan(&one))
}

// Reactions implements bridge.IDs.
func (b *Bridge) Reactions(ctx context.Context, room int64, net transports.MessageID, user transports.UserID) ([]string, error) {
	return scan(ctx, b.s.reads, func(row scanner) (e string, err error) {
		err = row.Scan(&e)
		return e, err
	}, reactionsSQL, room, string(net), string(user))
}
