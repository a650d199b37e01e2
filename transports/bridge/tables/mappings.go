package tables

import (
	"context"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/store/scan"
	"github.com/dragoman-im/dragoman/transports"
)

const (
	idColumns = `SELECT room, net, stanza, origin, first, part, author, sender, at, body, gone, thread, answers FROM bridge_ids `

	idsByNetSQL    = idColumns + `WHERE room = ? AND net = ? ORDER BY first <> '', at, stanza`
	idsByStanzaSQL = idColumns + `WHERE room = ? AND stanza = ? ORDER BY part, at, net` // a part can have become several messages
	idsByOriginSQL = idColumns + `WHERE room = ? AND origin = ? AND origin <> stanza ORDER BY sender = ? DESC, at DESC, part LIMIT 1`

	idPartsSQL = `SELECT DISTINCT net FROM bridge_ids WHERE room = ? AND net > ? AND net < ? ORDER BY net`

	goneIDSQL = `UPDATE bridge_ids SET gone = TRUE, body = '' WHERE room = ? AND net = ?`

	echoesSQL   = `SELECT room, net, kind, until FROM bridge_echoes WHERE room = ? AND net = ? AND until >= ? ORDER BY kind`
	dropEchoSQL = `DELETE FROM bridge_echoes WHERE room = ? AND net = ? AND kind = ?`

	reactionsSQL = `SELECT emoji FROM bridge_reactions WHERE room = ? AND net = ? AND person = ? ORDER BY emoji`
	reactorsSQL  = `SELECT DISTINCT person FROM bridge_reactions WHERE room = ? AND net = ? ORDER BY person`
	unreactSQL   = `DELETE FROM bridge_reactions WHERE room = ? AND net = ? AND person = ? AND emoji = ?`
)

func readID(row scan.Row) (r Mapping, err error) {
	var at int64
	err = row.Scan(&r.Room, &r.Net, &r.Stanza, &r.Origin, &r.First, &r.Part, &r.Author, &r.Sender, &at, &r.Text, &r.Deleted, &r.Thread, &r.Answers)
	r.At = moment(at)
	return r, err
}

// ByNetworkID are the stanzas of a message of the network, the first one first.
func (s *Store) ByNetworkID(ctx context.Context, room int64, net transports.MessageID) ([]Mapping, error) {
	list, err := scan.Rows(ctx, s.engine.Reader(), readID, idsByNetSQL, room, string(net))
	if err != nil {
		return nil, fmt.Errorf("look up message: %w", err)
	}
	return list, nil
}

// ByStanzaID are the parts of the message that a stanza id or origin id names; of several with the same
// origin id that of sender (a bare JID or "") is preferred, else the latest.
func (s *Store) ByStanzaID(ctx context.Context, room int64, id, sender string) ([]Mapping, error) {
	if id == "" {
		return nil, nil // messages without an origin id are not found by it, and there are many
	}
	list, err := scan.Rows(ctx, s.engine.Reader(), readID, idsByStanzaSQL, room, id)
	if err != nil || len(list) > 0 {
		return list, err
	}
	one, err := scan.Rows(ctx, s.engine.Reader(), readID, idsByOriginSQL, room, id, sender)
	if err != nil || len(one) == 0 {
		return nil, err
	}
	return scan.Rows(ctx, s.engine.Reader(), readID, idsByStanzaSQL, room, one[0].Stanza)
}

// Between are the ids of messages between two ids, in order.
func (s *Store) Between(ctx context.Context, room int64, after, before transports.MessageID) ([]transports.MessageID, error) {
	return scan.Rows(ctx, s.engine.Reader(), func(row scan.Row) (id transports.MessageID, err error) {
		err = row.Scan(&id)
		return id, err
	}, idPartsSQL, room, string(after), string(before))
}

// Echoes are those that are expected for a message, by kind.
func (s *Store) Echoes(ctx context.Context, room int64, net transports.MessageID, now time.Time) ([]Echo, error) {
	list, err := scan.Rows(ctx, s.engine.Reader(), func(row scan.Row) (e Echo, err error) {
		var until int64
		err = row.Scan(&e.Room, &e.Net, &e.Kind, &until)
		e.Until = moment(until)
		return e, err
	}, echoesSQL, room, string(net), micros(now))
	if err != nil {
		return nil, fmt.Errorf("look up echoes: %w", err)
	}
	return list, nil
}

// Reactions are one person's reactions to a message.
func (s *Store) Reactions(ctx context.Context, room int64, net transports.MessageID, user transports.UserID) ([]string, error) {
	return scan.Rows(ctx, s.engine.Reader(), func(row scan.Row) (e string, err error) {
		err = row.Scan(&e)
		return e, err
	}, reactionsSQL, room, string(net), string(user))
}

// Reactors are those who have reacted to a message.
func (s *Store) Reactors(ctx context.Context, room int64, net transports.MessageID) ([]transports.UserID, error) {
	return scan.Rows(ctx, s.engine.Reader(), func(row scan.Row) (who transports.UserID, err error) {
		err = row.Scan(&who)
		return who, err
	}, reactorsSQL, room, string(net))
}
