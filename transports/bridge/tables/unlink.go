package tables

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store/scan"
	"github.com/dragoman-im/dragoman/transports"
)

const (
	loginOwnerSQL = `SELECT owner, person FROM bridge_accounts WHERE id = ? AND gateway = ?`
	otherLoginSQL = `SELECT count(*) FROM bridge_accounts WHERE owner = ? AND gateway = ? AND id <> ?`

	forgetSenderSQL  = `UPDATE bridge_ids SET sender = '' WHERE sender = ? AND room IN (SELECT room FROM bridge_visible WHERE login = ?)`
	orphanEventsSQL  = `UPDATE bridge_inbox SET account = '' WHERE account = ?`
	dropCallsSQL     = `DELETE FROM bridge_outbox WHERE account = ?`
	dropReactionsSQL = `DELETE FROM bridge_reactions WHERE person = ? AND room IN (SELECT room FROM bridge_visible WHERE login = ?)`
	dropLoginSQL     = `DELETE FROM bridge_accounts WHERE id = ? AND gateway = ?` // bridge_visible and bridge_contacts go with it
	dropOwnRoomsSQL  = `DELETE FROM bridge_rooms WHERE gateway = ? AND scope = ?`
	dropUnseenSQL    = `DELETE FROM bridge_rooms WHERE gateway = ? AND scope = ''
  AND NOT EXISTS (SELECT 1 FROM bridge_visible v WHERE v.room = bridge_rooms.id)`
	dropPuppetsSQL = `DELETE FROM bridge_people WHERE gateway = ?
  AND NOT EXISTS (SELECT 1 FROM bridge_contacts c, bridge_accounts a WHERE c.person = bridge_people.id AND a.id = c.login AND a.gateway = ?)
  AND NOT EXISTS (SELECT 1 FROM bridge_members m, bridge_rooms r WHERE m.person = bridge_people.id AND r.id = m.room AND r.gateway = ?)`

	ownedSQL = `SELECT id, gateway FROM bridge_accounts WHERE owner = ?`
)

// Unlink removes a login with all that only it could see. What hangs on a room goes with the room.
// Nothing of it stays in a database file of SQLite.
func (s *Store) Unlink(ctx context.Context, id transports.LoginID) error {
	defer s.seen.Add(1)
	if err := s.engine.Write(ctx, func(tx *sql.Tx) error { return unlink(tx, id, s.id) }); err != nil {
		return err
	}
	return s.erase(ctx)
}

func unlink(tx *sql.Tx, id transports.LoginID, gateway int64) error {
	var owner, user string
	if ok, err := found(tx.QueryRow(loginOwnerSQL, string(id), gateway).Scan(&owner, &user)); err != nil || !ok {
		return err
	}
	var others int
	if err := tx.QueryRow(otherLoginSQL, owner, gateway, string(id)).Scan(&others); err != nil {
		return fmt.Errorf("unlink %s: %w", id, err)
	}
	type step struct {
		query string
		args  []any
	}
	steps := []step{
		{orphanEventsSQL, []any{string(id)}}, {dropCallsSQL, []any{string(id)}}, {dropReactionsSQL, []any{user, string(id)}},
		{dropLoginSQL, []any{string(id), gateway}}, {dropOwnRoomsSQL, []any{gateway, string(id)}},
		{dropUnseenSQL, []any{gateway}}, {dropPuppetsSQL, []any{gateway, gateway, gateway}},
	}
	if others == 0 {
		steps = append([]step{{forgetSenderSQL, []any{owner, string(id)}}}, steps...)
	}
	for _, s := range steps {
		if _, err := tx.Exec(s.query, s.args...); err != nil {
			return fmt.Errorf("unlink %s: %w", id, err)
		}
	}
	return nil
}

// deleteOwner removes all logins of an account of the server that is being deleted.
func deleteOwner(tx *sql.Tx, account jid.JID) error {
	type owned struct {
		id      transports.LoginID
		gateway int64
	}
	list, err := scan.Rows(context.Background(), tx, func(row scan.Row) (o owned, err error) {
		err = row.Scan(&o.id, &o.gateway)
		return o, err
	}, ownedSQL, account.String())
	if err != nil {
		return fmt.Errorf("list what %s has linked: %w", account, err)
	}
	for _, o := range list {
		if err := unlink(tx, o.id, o.gateway); err != nil {
			return err
		}
	}
	return nil
}
