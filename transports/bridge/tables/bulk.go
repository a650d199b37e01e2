package tables

import (
	"context"
	"database/sql"

	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

// What is written for every message is written with one statement for all rows of a batch: on PostgreSQL each
// statement is a round trip.

var (
	addEvents = store.NewInsert("bridge_inbox", []store.Column{
		{Name: "seq", Type: store.BigInt}, {Name: "room", Type: store.BigInt}, {Name: "account", Type: store.Text},
		{Name: "key", Type: store.Text}, {Name: "kind", Type: store.Text}, {Name: "lane", Type: store.BigInt},
		{Name: "place", Type: store.BigInt}, {Name: "data", Type: store.Bytes}, {Name: "at", Type: store.BigInt}, {Name: "state", Type: store.BigInt},
	}, "", "(room, key) DO NOTHING")
	addMappings = store.NewInsert("bridge_ids", []store.Column{
		{Name: "room", Type: store.BigInt}, {Name: "net", Type: store.Text}, {Name: "stanza", Type: store.Text},
		{Name: "origin", Type: store.Text}, {Name: "first", Type: store.Text}, {Name: "part", Type: store.BigInt},
		{Name: "author", Type: store.Text}, {Name: "sender", Type: store.Text}, {Name: "at", Type: store.BigInt},
		{Name: "body", Type: store.Text}, {Name: "gone", Type: store.Bool}, {Name: "thread", Type: store.Text}, {Name: "answers", Type: store.Text},
	}, "", "(room, net, stanza) DO NOTHING")
	addArchived = store.NewInsert("bridge_archive", []store.Column{
		{Name: "seq", Type: store.BigInt}, {Name: "room", Type: store.BigInt}, {Name: "id", Type: store.Text},
		{Name: "message", Type: store.Text}, {Name: "at", Type: store.BigInt}, {Name: "nick", Type: store.Text},
		{Name: "who", Type: store.Text}, {Name: "lang", Type: store.Text}, {Name: "extra", Type: store.Text}, {Name: "payload", Type: store.Text},
		{Name: "corrects", Type: store.Text},
	}, "", "(room, id) DO NOTHING")
	addMembers = store.NewInsert("bridge_members", []store.Column{
		{Name: "room", Type: store.BigInt}, {Name: "person", Type: store.Text},
	}, "", "DO NOTHING")
	addCalls = store.NewInsert("bridge_outbox", []store.Column{
		{Name: "seq", Type: store.BigInt}, {Name: "room", Type: store.BigInt}, {Name: "account", Type: store.Text},
		{Name: "sender", Type: store.Text}, {Name: "resource", Type: store.Text}, {Name: "origin", Type: store.Text},
		{Name: "message", Type: store.Text}, {Name: "stanza", Type: store.Text}, {Name: "kind", Type: store.Text},
		{Name: "data", Type: store.Bytes}, {Name: "state", Type: store.BigInt}, {Name: "part", Type: store.BigInt},
		{Name: "attempt", Type: store.BigInt}, {Name: "since", Type: store.BigInt}, {Name: "created", Type: store.BigInt},
		{Name: "told", Type: store.Bool},
	}, "", "")
	addMedia = store.NewInsert("bridge_media", []store.Column{
		{Name: "id", Type: store.Text}, {Name: "room", Type: store.BigInt}, {Name: "net", Type: store.Text}, {Name: "ref", Type: store.Text},
		{Name: "name", Type: store.Text}, {Name: "type", Type: store.Text}, {Name: "size", Type: store.BigInt}, {Name: "at", Type: store.BigInt},
	}, "", "(id) DO NOTHING")
	addEchoes = store.NewInsert("bridge_echoes", []store.Column{
		{Name: "room", Type: store.BigInt}, {Name: "net", Type: store.Text}, {Name: "kind", Type: store.Text}, {Name: "until", Type: store.BigInt},
	}, "", "(room, net, kind) DO UPDATE SET until = excluded.until")
	addReactions = store.NewInsert("bridge_reactions", []store.Column{
		{Name: "room", Type: store.BigInt}, {Name: "net", Type: store.Text}, {Name: "person", Type: store.Text}, {Name: "emoji", Type: store.Text},
	}, "", "DO NOTHING")
)

// PostgreSQL's forms of statements that change many rows.
const (
	doneAllEventsSQL  = `UPDATE bridge_inbox SET state = 3, data = '', out = NULL, error = NULL WHERE seq = ANY(?)`
	readyAllEventsSQL = `UPDATE bridge_inbox SET state = 1, data = '', out = new.out, place = new.place, error = NULL
FROM unnest(?1::bigint[], ?2::bytea[], ?3::bigint[]) AS new (seq, out, place) WHERE bridge_inbox.seq = new.seq`
	allToHistorySQL = `UPDATE bridge_inbox SET lane = 0, place = new.place
FROM unnest(?1::bigint[], ?2::text[], ?3::bigint[]) AS new (room, key, place)
WHERE bridge_inbox.room = new.room AND bridge_inbox.key = new.key AND state = 0 AND lane = 1`
	putAllCallsSQL = `UPDATE bridge_outbox SET data = new.data, state = new.state, part = new.part, attempt = new.attempt, since = new.since, told = new.told
FROM unnest(?1::bigint[], ?2::bytea[], ?3::bigint[], ?4::bigint[], ?5::bigint[], ?6::bigint[], ?7::boolean[])
AS new (seq, data, state, part, attempt, since, told) WHERE bridge_outbox.seq = new.seq`
	putAllStatesSQL = `UPDATE bridge_accounts SET state = new.state
FROM unnest(?1::text[], ?2::bytea[]) AS new (id, state) WHERE bridge_accounts.id = new.id AND gateway = ?3`
	dropAllEchoesSQL = `DELETE FROM bridge_echoes USING unnest(?1::bigint[], ?2::text[], ?3::text[]) AS used (room, net, kind)
WHERE bridge_echoes.room = used.room AND bridge_echoes.net = used.net AND bridge_echoes.kind = used.kind`
	whichEventsSQL = `SELECT seq FROM bridge_inbox WHERE seq = ANY(?)`
)

// insert adds rows of a batch.
func insert[T any](s *Store, tx *sql.Tx, statement *store.Insert, list []T, columns func(T) []any) error {
	if len(list) == 0 {
		return nil
	}
	rows := make([][]any, len(list))
	for i, v := range list {
		rows[i] = columns(v)
	}
	_, err := statement.Run(tx, s.engine.Dialect(), rows)
	return err
}

// receiveAll is receiveEach in a few statements.
func (s *Store) receiveAll(tx *sql.Tx, events []Event, added []bool) error {
	clear(added)
	rows := make([][]any, len(events))
	seqs := make([]int64, len(events))
	for i, e := range events {
		rows[i] = []any{e.Seq, e.Room, e.Login, e.Key, e.Kind, int64(e.Priority), e.Position, e.Data, micros(e.At), int64(EventNew)}
		seqs[i] = e.Seq
	}
	n, err := addEvents.Run(tx, s.engine.Dialect(), rows)
	if err != nil {
		return err
	}
	if int(n) == len(events) {
		for i := range added {
			added[i] = true
		}
		return nil
	}
	there, err := scan.Rows(context.Background(), tx, readNumber, whichEventsSQL, seqs)
	if err != nil {
		return err
	}
	isNew := make(map[int64]bool, len(there))
	for _, seq := range there {
		isNew[seq] = true
	}
	var rooms, positions []int64
	var keys []string
	for i, e := range events {
		if added[i] = isNew[e.Seq]; !added[i] && e.Priority == PriorityNow {
			rooms, keys, positions = append(rooms, e.Room), append(keys, e.Key), append(positions, e.Position)
		}
	}
	if len(rooms) == 0 {
		return nil
	}
	_, err = tx.Exec(allToHistorySQL, rooms, keys, positions)
	return err
}

func readNumber(row scan.Row) (n int64, err error) {
	err = row.Scan(&n)
	return n, err
}

// commitAllEvents is commitEvents in a few statements.
func commitAllEvents(tx *sql.Tx, events []EventUpdate) error {
	var done, ready, positions []int64
	var deliveries [][]byte
	for _, e := range events {
		switch e.State {
		case EventDone:
			done = append(done, e.Seq)
		case EventReady:
			ready, deliveries, positions = append(ready, e.Seq), append(deliveries, e.Deliveries), append(positions, e.Position)
		case EventFailed:
			if _, err := tx.Exec(failedEventSQL, e.Error, e.Seq); err != nil {
				return err
			}
		}
	}
	if len(done) > 0 {
		if _, err := tx.Exec(doneAllEventsSQL, done); err != nil {
			return err
		}
	}
	if len(ready) == 0 {
		return nil
	}
	_, err := tx.Exec(readyAllEventsSQL, ready, deliveries, positions)
	return err
}
