package store

import (
	"context"
	"fmt"
	"sync"

	"github.com/dragoman-im/dragoman/core/features/offline"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/deletions"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

// offlineMessages is the store's part that keeps offline messages.
type offlineMessages struct {
	added    *Bulk[offlineRow]
	deleted  *Bulk[[]deletions.Key]
	log      *deletions.Log // nil on PostgreSQL
	deleting sync.WaitGroup // deletions on PostgreSQL, which do not go through the partitions
}

func newOfflineMessages(s *Store, log *deletions.Log) *offlineMessages {
	return &offlineMessages{
		added:   NewBulk(s, func(*Partition) BulkWriter[offlineRow] { return &offlineWriter{dialect: s.dialect} }),
		deleted: NewBulk(s, func(*Partition) BulkWriter[[]deletions.Key] { return BulkFunc[[]deletions.Key](deleteOfflineRows) }),
		log:     log,
	}
}

// AddOffline implements offline.Store.
func (s *Store) AddOffline(account jid.JID, m offline.Message, done func(error)) {
	s.offline.added.Append(account.String(), offlineRow{
		account: account.String(), id: m.ID, sender: m.Stanza.From.Bare().String(), stanza: encodeStanza(m.Stanza),
		size: int64(len(m.Stanza.Payload) + len(m.Stanza.Extra)), received: m.Received.UnixMicro(),
	}, func(err error) {
		if err != nil {
			err = fmt.Errorf("store offline message for %s: %w", account, err)
		}
		done(err)
	})
}

const offlineSQL = `SELECT id, stanza, received, position, sender, size FROM offline WHERE account = ? AND position > ? ORDER BY position, id LIMIT ?`

// OfflineMessages implements offline.Store: it reads after what was written before.
func (s *Store) OfflineMessages(ctx context.Context, account jid.JID, after int64, limit int) ([]offline.Message, error) {
	err := s.of(account).Settle(ctx)
	if err != nil {
		return nil, fmt.Errorf("read offline messages of %s: %w", account, err)
	}
	list, err := scan.Rows(ctx, s.reads, func(row scan.Row) (m offline.Message, err error) {
		var text, sender string
		var received int64
		if err := row.Scan(&m.ID, &text, &received, &m.Position, &sender, &m.Size); err != nil {
			return m, err
		}
		m.Received = timeOf(received)
		if m.Stanza, err = stanza.Parse(text); err != nil { // the others must be delivered all the same
			s.log.Error("offline message not readable", "account", account, "id", m.ID, "err", err)
			m.Stanza = nil
			m.Sender, _ = jid.Parse(sender) // as OfflineUsage counts it
			return m, nil
		}
		m.Stanza.Entry = m.ID
		return m, nil
	}, offlineSQL, account.String(), after, limit)
	if err != nil {
		return nil, fmt.Errorf("read offline messages of %s: %w", account, err)
	}
	return list, nil
}

const deleteManyOfflineSQL = `DELETE FROM offline WHERE account = ? AND id = ANY(?)` // PostgreSQL

// DeleteOffline implements offline.Store. The client has received the messages already: if this process
// ends before they are deleted, they are delivered twice. On SQLite the deletion log prevents that.
// PostgreSQL completes a statement that it has received; it is sent at once, without waiting for a
// partition's next group.
func (s *Store) DeleteOffline(account jid.JID, ids []string, done func(error)) {
	if s.dialect == Postgres {
		s.offline.deleting.Go(func() {
			_, err := s.writes.ExecContext(context.Background(), deleteManyOfflineSQL, account.String(), ids)
			if err != nil {
				err = fmt.Errorf("delete offline messages of %s: %w", account, unavailable(err))
			}
			done(err)
		})
		return
	}
	keys := make([]deletions.Key, len(ids))
	for i, id := range ids {
		keys[i] = deletions.Key{Account: account.String(), ID: id}
	}
	log := s.offline.log
	if err := log.Begin(keys); err != nil {
		s.log.Error("deletion log not written: messages may be delivered twice after a crash", "account", account, "err", err)
	}
	s.offline.deleted.Append(account.String(), keys, func(err error) {
		if problem := log.End(keys, err); problem != nil {
			s.log.Error("deletion log not emptied", "err", problem)
		}
		done(err)
	})
}

const offlineUsageSQL = `SELECT sender, count(*), CAST(coalesce(sum(size), 0) AS BIGINT) FROM offline WHERE account = ? GROUP BY sender`

// OfflineUsage implements offline.Store.
func (s *Store) OfflineUsage(ctx context.Context, account jid.JID) (senders map[jid.JID]offline.Usage, limit offline.Usage, err error) {
	senders = map[jid.JID]offline.Usage{}
	_, err = scan.Rows(ctx, s.reads, func(row scan.Row) (struct{}, error) {
		var text string
		var u offline.Usage
		if err := row.Scan(&text, &u.Messages, &u.Bytes); err != nil {
			return struct{}{}, err
		}
		sender, _ := jid.Parse(text) // the zero value stands for those that are not known
		senders[sender] = offline.Usage{Messages: senders[sender].Messages + u.Messages, Bytes: senders[sender].Bytes + u.Bytes}
		return struct{}{}, nil
	}, offlineUsageSQL, account.String())
	if err != nil {
		return nil, limit, fmt.Errorf("count offline messages of %s: %w", account, err)
	}
	limits := s.limits.Load()
	return senders, offline.Usage{Messages: limits.OfflineMessages, Bytes: limits.OfflineBytes}, nil
}
