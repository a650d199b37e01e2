package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

const (
	rosterItemsSQL = `SELECT contact, name, subscription, ask, approved FROM roster WHERE account = ? ORDER BY contact`

	rosterGroupsSQL = `SELECT contact, name FROM roster_groups WHERE account = ? ORDER BY contact, name`
)

// Roster implements roster.Store.
func (s *Store) Roster(ctx context.Context, account jid.JID, has roster.Version) ([]roster.Item, roster.Version, error) {
	tx, err := s.reads.BeginTx(ctx, nil) // one snapshot, so that the version is that of the items
	if err != nil {
		return nil, "", fmt.Errorf("read roster of %s: %w", account, err)
	}
	defer func() { _ = tx.Rollback() }()
	version, err := rosterVersion(ctx, tx, account)
	if err != nil {
		return nil, "", err
	}
	if formatVersion(version) == has {
		return nil, has, nil
	}
	items, err := rosterItems(tx.QueryContext(ctx, rosterItemsSQL, account.String()))
	if err == nil {
		err = rosterGroups(ctx, tx, account, items)
	}
	if err != nil {
		return nil, "", fmt.Errorf("read roster of %s: %w", account, err)
	}
	return items, formatVersion(version), nil
}

const rosterContactsSQL = `SELECT contact, '', subscription, ask, FALSE FROM roster
WHERE account = ? AND (subscription <> 'none' OR ask) ORDER BY contact`

// RosterContacts implements roster.Store.
func (s *Store) RosterContacts(ctx context.Context, account jid.JID) ([]roster.Item, error) {
	items, err := rosterItems(s.reads.QueryContext(ctx, rosterContactsSQL, account.String()))
	if err != nil {
		return nil, fmt.Errorf("read contacts of %s: %w", account, err)
	}
	return items, nil
}

func rosterItems(rows *sql.Rows, err error) ([]roster.Item, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var items []roster.Item
	for rows.Next() {
		var item roster.Item
		var contact string
		if err := rows.Scan(&contact, &item.Name, &item.Subscription, &item.Ask, &item.Approved); err != nil {
			return nil, err
		}
		if item.JID, err = jid.Parse(contact); err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, rows.Err()
}

// rosterGroups fills in the groups of items, which are sorted as the query is.
func rosterGroups(ctx context.Context, q scan.Querier, account jid.JID, items []roster.Item) error {
	rows, err := q.QueryContext(ctx, rosterGroupsSQL, account.String())
	if err != nil {
		return err
	}
	defer rows.Close()
	at := 0
	for rows.Next() {
		var contact, name string
		if err := rows.Scan(&contact, &name); err != nil {
			return err
		}
		for at < len(items) && items[at].JID.String() != contact {
			at++
		}
		if at == len(items) {
			return fmt.Errorf("group of %s, which is not in the roster", contact)
		}
		items[at].Groups = append(items[at].Groups, name)
	}
	return rows.Err()
}

const rosterVersionSQL = `SELECT roster_version FROM accounts WHERE jid = ?`

func rosterVersion(ctx context.Context, q scan.Querier, account jid.JID) (int64, error) {
	var v int64
	err := q.QueryRowContext(ctx, rosterVersionSQL, account.String()).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, roster.ErrNoAccount
	}
	if err != nil {
		return 0, fmt.Errorf("read roster version of %s: %w", account, err)
	}
	return v, nil
}

func formatVersion(v int64) roster.Version { return roster.Version(strconv.FormatInt(v, 36)) }

const (
	rosterEntrySQL = `SELECT name, subscription, ask, approved FROM roster WHERE account = ? AND contact = ?`

	rosterEntryGroupsSQL = `SELECT name FROM roster_groups WHERE account = ? AND contact = ? ORDER BY name`

	rosterRequestSQL = `SELECT stanza FROM roster_pending WHERE account = ? AND contact = ?`
)

// RosterEntry implements roster.Store.
func (s *Store) RosterEntry(ctx context.Context, account, contact jid.JID) (roster.Entry, error) {
	return rosterEntry(ctx, s.reads, account, contact)
}

func rosterEntry(ctx context.Context, q scan.Querier, account, contact jid.JID) (roster.Entry, error) {
	e := roster.Entry{Item: roster.Item{JID: contact, Subscription: roster.None}}
	fail := func(err error) (roster.Entry, error) {
		return e, fmt.Errorf("read %s in roster of %s: %w", contact, account, err)
	}
	err := q.QueryRowContext(ctx, rosterEntrySQL, account.String(), contact.String()).Scan(&e.Name, &e.Subscription, &e.Ask, &e.Approved)
	switch {
	case err == nil:
		e.Listed = true
		if e.Groups, err = texts(q.QueryContext(ctx, rosterEntryGroupsSQL, account.String(), contact.String())); err != nil {
			return fail(err)
		}
	case !errors.Is(err, sql.ErrNoRows):
		return fail(err)
	}
	var request string
	err = q.QueryRowContext(ctx, rosterRequestSQL, account.String(), contact.String()).Scan(&request)
	if errors.Is(err, sql.ErrNoRows) {
		return e, nil
	}
	if err == nil {
		e.Request, err = stanza.Parse(request)
	}
	if err != nil {
		return fail(err)
	}
	return e, nil
}

// texts reads rows of one text column.
func texts(rows *sql.Rows, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, rows.Err()
}

const rosterRequestsSQL = `SELECT stanza FROM roster_pending WHERE account = ? ORDER BY received, contact`

// RosterRequests implements roster.Store.
func (s *Store) RosterRequests(ctx context.Context, account jid.JID) ([]*stanza.Stanza, error) {
	list, err := texts(s.reads.QueryContext(ctx, rosterRequestsSQL, account.String()))
	if err != nil {
		return nil, fmt.Errorf("read subscription requests to %s: %w", account, err)
	}
	var requests []*stanza.Stanza
	for _, text := range list {
		st, err := stanza.Parse(text)
		if err != nil {
			return nil, err
		}
		requests = append(requests, st)
	}
	return requests, nil
}

const rosterHoldersSQL = `SELECT account FROM roster WHERE contact = ?1 AND (subscription <> 'none' OR ask OR approved)
UNION SELECT account FROM roster_pending WHERE contact = ?1 ORDER BY account`

// RosterHolders lists the accounts whose roster grants something to a contact, or has a request of it.
func (s *Store) RosterHolders(ctx context.Context, contact jid.JID) ([]jid.JID, error) {
	list, err := texts(s.reads.QueryContext(ctx, rosterHoldersSQL, contact.String()))
	if err != nil {
		return nil, fmt.Errorf("list rosters with %s: %w", contact, err)
	}
	holders := make([]jid.JID, len(list))
	for i, text := range list {
		if holders[i], err = jid.Parse(text); err != nil {
			return nil, err
		}
	}
	return holders, nil
}

// ChangeRoster implements roster.Store.
func (s *Store) ChangeRoster(ctx context.Context, account, contact jid.JID, change func(*roster.Entry) error, committed func(roster.Change)) error {
	var c roster.Change
	return s.of(account).WriteThen(ctx, func(tx *sql.Tx) error {
		if err := lockAccount(tx, account); err != nil { // for the version and the limits
			if errors.Is(err, ErrNoAccount) {
				return roster.ErrNoAccount
			}
			return err
		}
		before, err := rosterEntry(context.Background(), tx, account, contact)
		if err != nil {
			return err
		}
		after := before
		after.Groups = slices.Clone(before.Groups)
		if err := change(&after); err != nil {
			return err
		}
		c = roster.Change{Before: before, After: after}
		return s.writeRoster(tx, account, &c)
	}, func() {
		if committed != nil {
			committed(c)
		}
	})
}
