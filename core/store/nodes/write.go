package nodes

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/pubsub"
)

// Write implements pubsub.Store.
func (s *Nodes) Write(ctx context.Context, service jid.JID, changes ...*pubsub.Change) error {
	return s.store.Partition(service.String()).Write(ctx, func(tx *sql.Tx) error {
		for _, c := range changes {
			c.Result = pubsub.Result{} // of an attempt before this one
			w := writer{tx, service.String(), c}
			for _, step := range []func() error{w.node, w.affiliations, w.subscriptions, w.items} {
				if err := step(); err != nil {
					return fmt.Errorf("write node %s of %s: %w", c.Node, service, err)
				}
			}
		}
		return nil
	})
}

// writer writes one change in a transaction.
type writer struct {
	tx      *sql.Tx
	service string
	*pubsub.Change
}

const (
	createSQL    = `INSERT INTO pubsub_nodes (service, node, account, config, creator, created) VALUES (?, ?, ?, ?, ?, ?)`
	configureSQL = `UPDATE pubsub_nodes SET config = ? WHERE service = ? AND node = ?`
	deleteSQL    = `DELETE FROM pubsub_nodes WHERE service = ? AND node = ?`
	purgeSQL     = `DELETE FROM pubsub_items WHERE service = ? AND node = CAST(? AS text)`
)

func (w *writer) node() error {
	switch {
	case w.Delete:
		return w.one(w.tx.Exec(deleteSQL, w.service, w.Node))
	case w.Purge:
		_, err := w.tx.Exec(purgeSQL, w.service, w.Node)
		return err
	case w.Put == nil:
		return nil
	}
	config, err := json.Marshal(w.Put.Config)
	if err != nil {
		return err
	}
	if !w.Create {
		return w.one(w.tx.Exec(configureSQL, string(config), w.service, w.Node))
	}
	account := sql.NullString{String: w.service, Valid: isAccount(w.service)}
	_, err = w.tx.Exec(createSQL, w.service, w.Node, account, string(config), w.Put.Creator.String(), w.Put.Created.UnixMicro())
	return err
}

func isAccount(service string) bool {
	j, err := jid.Parse(service)
	return err == nil && j.Local() != ""
}

// one returns ErrGone if a statement has changed nothing.
func (w *writer) one(r sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	if err == nil && n == 0 {
		return pubsub.ErrGone
	}
	return err
}

const (
	setAffiliationSQL = `INSERT INTO pubsub_affiliations (service, node, jid, affiliation) VALUES (?, ?, ?, ?)
ON CONFLICT (service, node, jid) DO UPDATE SET affiliation = excluded.affiliation`
	endAffiliationSQL = `DELETE FROM pubsub_affiliations WHERE service = ? AND node = ? AND jid = ?`
)

func (w *writer) affiliations() error {
	for j, a := range w.Affiliations {
		var err error
		if a == pubsub.None {
			_, err = w.tx.Exec(endAffiliationSQL, w.service, w.Node, j.String())
		} else {
			_, err = w.tx.Exec(setAffiliationSQL, w.service, w.Node, j.String(), string(a))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

const (
	setSubscriptionSQL = `INSERT INTO pubsub_subscriptions (service, node, jid, bare, subid, state, mute) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (service, node, jid) DO UPDATE SET subid = excluded.subid, state = excluded.state, mute = excluded.mute`
	endSubscriptionSQL = `DELETE FROM pubsub_subscriptions WHERE service = ? AND node = ? AND jid = ?`
)

func (w *writer) subscriptions() error {
	for _, s := range w.Subscriptions {
		var err error
		if s.State == pubsub.NotSubscribed {
			_, err = w.tx.Exec(endSubscriptionSQL, w.service, w.Node, s.JID.String())
		} else {
			_, err = w.tx.Exec(setSubscriptionSQL, w.service, w.Node, s.JID.String(), s.JID.Bare().String(), s.ID, string(s.State), s.Mute)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

const (
	// A published item is the newest, also if its id was known.
	publishSQL = `INSERT INTO pubsub_items (service, node, item, position, published, publisher, size, payload)
VALUES (?1, ?2, ?3, (SELECT coalesce(max(position), 0) + 1 FROM pubsub_items WHERE service = ?1 AND node = CAST(?2 AS text)), ?4, ?5, ?6, ?7)
ON CONFLICT (service, node, item) DO UPDATE SET position = excluded.position, published = excluded.published,
publisher = excluded.publisher, size = excluded.size, payload = excluded.payload`

	trimSQL = `DELETE FROM pubsub_items WHERE service = ?1 AND node = CAST(?2 AS text) AND position <= (
SELECT position FROM pubsub_items WHERE service = ?1 AND node = CAST(?2 AS text) ORDER BY position DESC LIMIT 1 OFFSET CAST(?3 AS bigint)) RETURNING item, size`
	expireSQL  = `DELETE FROM pubsub_items WHERE service = ? AND node = CAST(? AS text) AND published < ? RETURNING item, size`
	retractSQL = `DELETE FROM pubsub_items WHERE service = ? AND node = CAST(? AS text) AND item = ?`
)

func (w *writer) items() error {
	if w.Retract != "" {
		r, err := w.tx.Exec(retractSQL, w.service, w.Node, w.Retract)
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		w.Result.Retracted = n > 0
		return err
	}
	if w.Item == nil {
		return nil
	}
	i := w.Item
	size := int64(len(i.ID) + len(i.Payload))
	if _, err := w.tx.Exec(publishSQL, w.service, w.Node, i.ID, i.At.UnixMicro(), i.Publisher.String(), size, i.Payload); err != nil {
		return err
	}
	w.Result.Size = size
	if !w.Expired.IsZero() {
		if err := w.removed(expireSQL, w.service, w.Node, w.Expired.UnixMicro()); err != nil {
			return err
		}
	}
	return w.removed(trimSQL, w.service, w.Node, w.Keep)
}

// removed runs a statement that deletes items and returns their ids and sizes.
func (w *writer) removed(query string, args ...any) error {
	rows, err := w.tx.Query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var size int64
		if err := rows.Scan(&id, &size); err != nil {
			return err
		}
		w.Result.Removed = append(w.Result.Removed, id)
		w.Result.Size -= size
	}
	return rows.Err()
}

// time of an item as it is stored.
func timeOf(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
