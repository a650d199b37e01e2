package tables

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/store/scan"
	"github.com/dragoman-im/dragoman/transports"
)

const (
	backlogEventsSQL = `SELECT i.room, count(*), max(i.lane) FROM bridge_inbox i JOIN bridge_rooms r ON r.id = i.room
WHERE i.state = 0 AND r.gateway = ? GROUP BY i.room ORDER BY i.room`
	backlogCallsSQL = `SELECT o.room, o.account, count(*) FROM bridge_outbox o JOIN bridge_rooms r ON r.id = o.room
WHERE o.state < 2 AND r.gateway = ? GROUP BY o.room, o.account ORDER BY o.room, o.account`
)

// Backlog counts what waits in each room: new events, and calls that were not made.
func (s *Store) Backlog(ctx context.Context) ([]Backlog, error) {
	list, err := scan.Rows(ctx, s.engine.Reader(), func(row scan.Row) (b Backlog, err error) {
		var priority Priority
		err = row.Scan(&b.Room, &b.Events, &priority)
		b.Held = priority == PriorityHeld
		return b, err
	}, backlogEventsSQL, s.id)
	if err != nil {
		return nil, fmt.Errorf("read backlog of events: %w", err)
	}
	calls, err := scan.Rows(ctx, s.engine.Reader(), func(row scan.Row) (b Backlog, err error) {
		var login transports.LoginID
		err = row.Scan(&b.Room, &login, &b.Calls)
		b.Logins = []transports.LoginID{login}
		return b, err
	}, backlogCallsSQL, s.id)
	if err != nil {
		return nil, fmt.Errorf("read backlog of calls: %w", err)
	}
	index := map[int64]int{}
	for i, b := range list {
		index[b.Room] = i
	}
	for _, c := range calls {
		i, ok := index[c.Room]
		if !ok {
			index[c.Room] = len(list)
			list = append(list, c)
			continue
		}
		list[i].Calls += c.Calls
		list[i].Logins = append(list[i].Logins, c.Logins...)
	}
	return list, nil
}
