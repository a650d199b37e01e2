package nodes

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

// Nodes are the nodes in a database. It is a pubsub.Store.
type Nodes struct{ store *store.Store }

var _ pubsub.Store = (*Nodes)(nil)

// New returns the nodes of a database. Call it before the store is used.
func New(s *store.Store) *Nodes {
	s.OnDeleteAccount(deleteAccount)
	return &Nodes{s}
}

// Open returns the nodes of a database that is not served, or that New was called for.
func Open(s *store.Store) *Nodes { return &Nodes{s} }

const (
	ownNodesSQL = `DELETE FROM pubsub_nodes WHERE account IS NULL AND EXISTS (
	SELECT 1 FROM pubsub_affiliations AS mine WHERE mine.service = pubsub_nodes.service AND mine.node = pubsub_nodes.node
	AND mine.jid = ?1 AND mine.affiliation = 'owner') AND NOT EXISTS (
	SELECT 1 FROM pubsub_affiliations AS others WHERE others.service = pubsub_nodes.service AND others.node = pubsub_nodes.node
	AND others.jid <> ?1 AND others.affiliation = 'owner')`

	deleteAffiliationsSQL  = `DELETE FROM pubsub_affiliations WHERE jid = ?`
	deleteSubscriptionsSQL = `DELETE FROM pubsub_subscriptions WHERE bare = ?`
)

// deleteAccount deletes what an account is at the nodes of others, and the nodes of a domain that nobody else owns: whoever
// registers the name later must not have its rights.
func deleteAccount(tx *sql.Tx, account jid.JID) error {
	for _, query := range []string{ownNodesSQL, deleteAffiliationsSQL, deleteSubscriptionsSQL} {
		if _, err := tx.Exec(query, account.String()); err != nil {
			return fmt.Errorf("delete the subscriptions of %s: %w", account, err)
		}
	}
	return nil
}

const (
	nodesSQL         = `SELECT node, config, creator, created FROM pubsub_nodes WHERE service = ?`
	affiliationsSQL  = `SELECT node, jid, affiliation FROM pubsub_affiliations WHERE service = ?`
	subscriptionsSQL = `SELECT node, jid, subid, state, mute FROM pubsub_subscriptions WHERE service = ? ORDER BY subid`
	bytesSQL         = `SELECT coalesce(sum(size), 0) FROM pubsub_items WHERE service = ?`
	bytesOfSQL       = `SELECT coalesce(sum(size), 0) FROM pubsub_items JOIN pubsub_nodes
ON pubsub_nodes.service = pubsub_items.service AND pubsub_nodes.node = pubsub_items.node WHERE pubsub_nodes.service = ? AND creator = ?`
)

// Nodes implements pubsub.Store.
func (s *Nodes) Nodes(ctx context.Context, service jid.JID) (*pubsub.Nodes, error) {
	nodes := pubsub.NewNodes(nil, 0)
	// A context that may end would cost more than the queries.
	err := s.read(context.WithoutCancel(ctx), service, &nodes)
	if err != nil {
		return nil, fmt.Errorf("read the nodes of %s: %w", service, err)
	}
	return nodes, nil
}

func (s *Nodes) read(ctx context.Context, service jid.JID, nodes **pubsub.Nodes) error {
	list, err := scan.Rows(ctx, s.store.Reader(), scanNode, nodesSQL, service.String())
	if err != nil || len(list) == 0 {
		return err
	}
	byName := make(map[string]*pubsub.Node, len(list))
	for _, n := range list {
		byName[n.Name] = n
	}
	if _, err := scan.Rows(ctx, s.store.Reader(), func(row scan.Row) (none struct{}, err error) {
		var node, address, value string
		if err := row.Scan(&node, &address, &value); err != nil {
			return none, err
		}
		j, err := jid.Parse(address)
		if n := byName[node]; n != nil && err == nil {
			if n.Affiliations == nil {
				n.Affiliations = map[jid.JID]pubsub.Affiliation{}
			}
			n.Affiliations[j] = pubsub.Affiliation(value)
		}
		return none, err
	}, affiliationsSQL, service.String()); err != nil {
		return err
	}
	if _, err := scan.Rows(ctx, s.store.Reader(), func(row scan.Row) (none struct{}, err error) {
		var node, address, state string
		var sub pubsub.Subscription
		if err := row.Scan(&node, &address, &sub.ID, &state, &sub.Mute); err != nil {
			return none, err
		}
		sub.State = pubsub.State(state)
		sub.JID, err = jid.Parse(address)
		if n := byName[node]; n != nil && err == nil {
			n.Subscriptions = append(n.Subscriptions, sub)
		}
		return none, err
	}, subscriptionsSQL, service.String()); err != nil {
		return err
	}
	bytes, err := s.Bytes(ctx, service)
	*nodes = pubsub.NewNodes(list, bytes)
	return err
}

func scanNode(row scan.Row) (*pubsub.Node, error) {
	n := &pubsub.Node{}
	var config, creator string
	var created int64
	if err := row.Scan(&n.Name, &config, &creator, &created); err != nil {
		return nil, err
	}
	n.Created = time.UnixMicro(created).UTC()
	if err := json.Unmarshal([]byte(config), &n.Config); err != nil {
		return nil, fmt.Errorf("configuration of %s: %w", n.Name, err)
	}
	var err error
	n.Creator, err = jid.Parse(creator)
	return n, err
}

// Bytes implements pubsub.Store.
func (s *Nodes) Bytes(ctx context.Context, service jid.JID) (int64, error) {
	var bytes int64
	if err := s.store.Reader().QueryRowContext(ctx, bytesSQL, service.String()).Scan(&bytes); err != nil {
		return 0, fmt.Errorf("read the size of the nodes of %s: %w", service, err)
	}
	return bytes, nil
}

// BytesOf implements pubsub.Store.
func (s *Nodes) BytesOf(ctx context.Context, service, creator jid.JID) (int64, error) {
	var bytes int64
	if err := s.store.Reader().QueryRowContext(ctx, bytesOfSQL, service.String(), creator.String()).Scan(&bytes); err != nil {
		return 0, fmt.Errorf("read the size of the nodes of %s at %s: %w", creator, service, err)
	}
	return bytes, nil
}
