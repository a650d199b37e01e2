package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/jid"
)

// writeRoster writes what a change has made different.
func (s *Store) writeRoster(tx *sql.Tx, account jid.JID, c *roster.Change) error {
	version, err := rosterVersion(context.Background(), tx, account) // also: is there such an account
	if err != nil {
		return err
	}
	c.Version = formatVersion(version)
	if c.Before.Request != c.After.Request {
		if err := s.writeRequest(tx, account, &c.After); err != nil {
			return err
		}
	}
	if !itemDiffers(&c.Before, &c.After) {
		return nil
	}
	if err := s.writeItem(tx, account, &c.Before, &c.After); err != nil {
		return err
	}
	// Microseconds keep a version from coming back after the account was made anew or the
	// database restored.
	version = max(version+1, now())
	if _, err := tx.Exec(setRosterVersionSQL, version, account.String()); err != nil {
		return fmt.Errorf("write roster version of %s: %w", account, err)
	}
	c.Version = formatVersion(version)
	return nil
}

func itemDiffers(a, b *roster.Entry) bool {
	return a.Listed != b.Listed || b.Listed && (a.Name != b.Name || a.Subscription != b.Subscription ||
		a.Ask != b.Ask || a.Approved != b.Approved || !slices.Equal(a.Groups, b.Groups))
}

const (
	setRosterVersionSQL = `UPDATE accounts SET roster_version = ? WHERE jid = ?`

	countRosterSQL = `SELECT count(*) FROM roster WHERE account = ?`

	putRosterSQL = `INSERT INTO roster (account, contact, name, subscription, ask, approved) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (account, contact) DO UPDATE SET name = excluded.name, subscription = excluded.subscription,
ask = excluded.ask, approved = excluded.approved`

	deleteRosterSQL = `DELETE FROM roster WHERE account = ? AND contact = ?`

	deleteRosterGroupsSQL = `DELETE FROM roster_groups WHERE account = ? AND contact = ?`

	putRosterGroupSQL = `INSERT INTO roster_groups (account, contact, name) VALUES (?, ?, ?)`

	// 20 is the markup around a group.
	rosterBytesSQL = `SELECT (SELECT coalesce(sum(octet_length(contact) + octet_length(name)), 0) FROM roster WHERE account = ?1) +
(SELECT coalesce(sum(octet_length(name) + 20), 0) FROM roster_groups WHERE account = ?1)`
)

func (s *Store) writeItem(tx *sql.Tx, account jid.JID, before, e *roster.Entry) error {
	who, contact := account.String(), e.JID.String()
	fail := func(err error) error { return fmt.Errorf("write %s in roster of %s: %w", contact, who, err) }
	if !e.Listed {
		if _, err := tx.Exec(deleteRosterSQL, who, contact); err != nil {
			return fail(err)
		}
		return nil
	}
	if !before.Listed {
		if err := bound(tx, countRosterSQL, who, s.limits.Load().RosterItems, &s.Counters.RosterItems); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(putRosterSQL, who, contact, e.Name, string(e.Subscription), e.Ask, e.Approved); err != nil {
		return fail(err)
	}
	if err := writeGroups(tx, who, before, e); err != nil {
		return fail(err)
	}
	if before.Listed && rosterBytes(e) <= rosterBytes(before) {
		return nil
	}
	return s.boundBytes(tx, who)
}

func writeGroups(tx *sql.Tx, account string, before, e *roster.Entry) error {
	if slices.Equal(before.Groups, e.Groups) {
		return nil
	}
	contact := e.JID.String()
	if _, err := tx.Exec(deleteRosterGroupsSQL, account, contact); err != nil {
		return err
	}
	for _, g := range e.Groups {
		if _, err := tx.Exec(putRosterGroupSQL, account, contact, g); err != nil {
			return err
		}
	}
	return nil
}

// rosterBytes is what an entry counts in rosterBytesSQL.
func rosterBytes(e *roster.Entry) int {
	n := len(e.JID.String()) + len(e.Name)
	for _, g := range e.Groups {
		n += len(g) + 20
	}
	return n
}

// boundBytes is ErrFull where a roster has become so large that answering with it would
// cost more than one account may.
func (s *Store) boundBytes(tx *sql.Tx, account string) error {
	var n int64
	if err := tx.QueryRow(rosterBytesSQL, account).Scan(&n); err != nil {
		return fmt.Errorf("measure roster of %s: %w", account, err)
	}
	if n > s.limits.Load().RosterBytes {
		s.Counters.RosterBytes.Add(1)
		return roster.ErrFull
	}
	return nil
}

// bound is ErrFull where an account has as many rows as it may have, and counts that.
func bound(tx *sql.Tx, countSQL, account string, limit int, hits *atomic.Uint64) error {
	var n int
	if err := tx.QueryRow(countSQL, account).Scan(&n); err != nil {
		return fmt.Errorf("count contacts of %s: %w", account, err)
	}
	if n >= limit {
		hits.Add(1)
		return roster.ErrFull
	}
	return nil
}

const (
	countRequestsSQL = `SELECT count(*) FROM roster_pending WHERE account = ?`

	putRequestSQL = `INSERT INTO roster_pending (account, contact, stanza, received) VALUES (?, ?, ?, ?)
ON CONFLICT (account, contact) DO UPDATE SET stanza = excluded.stanza`

	deleteRequestSQL = `DELETE FROM roster_pending WHERE account = ? AND contact = ?`
)

func (s *Store) writeRequest(tx *sql.Tx, account jid.JID, e *roster.Entry) error {
	who, contact := account.String(), e.JID.String()
	if e.Request == nil {
		if _, err := tx.Exec(deleteRequestSQL, who, contact); err != nil {
			return fmt.Errorf("delete request of %s to %s: %w", contact, who, err)
		}
		return nil
	}
	if err := bound(tx, countRequestsSQL, who, s.limits.Load().PendingIn, &s.Counters.PendingIn); err != nil {
		return err
	}
	if _, err := tx.Exec(putRequestSQL, who, contact, encodeStanza(e.Request), now()); err != nil {
		return fmt.Errorf("write request of %s to %s: %w", contact, who, err)
	}
	return nil
}
