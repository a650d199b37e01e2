package rooms

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/room/visits"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

const (
	requestsSQL   = `SELECT jid, nick FROM room_requests WHERE room = ?`
	addRequestSQL = `INSERT INTO room_requests (room, jid, nick) VALUES (?, ?, ?) ON CONFLICT (room, jid) DO UPDATE SET nick = excluded.nick`
	endRequestSQL = `DELETE FROM room_requests WHERE room = ? AND jid = ?`
	rolesSQL      = `SELECT occupant, jid, role FROM room_roles WHERE room = ?`
	setRoleSQL    = `INSERT INTO room_roles (room, occupant, jid, role) VALUES (?, ?, ?, ?) ON CONFLICT (room, occupant) DO UPDATE SET role = excluded.role`
	endRoleSQL    = `DELETE FROM room_roles WHERE room = ? AND occupant = ?`
	endRolesSQL   = `DELETE FROM room_roles WHERE room = ?`
)

// readPeople reads the registrations that wait, and the roles that moderators have decided about.
func (t *Tables) readPeople(ctx context.Context, at jid.JID, s *room.Snapshot) error {
	s.Requests, s.Roles = map[jid.JID]string{}, map[string]visits.Kept{}
	_, err := scan.Rows(ctx, t.store.Reader(), func(row scan.Row) (none struct{}, err error) {
		var address, nick string
		if err := row.Scan(&address, &nick); err != nil {
			return none, err
		}
		j, err := jid.Parse(address)
		s.Requests[j] = nick
		return none, err
	}, requestsSQL, at.String())
	if err != nil {
		return fmt.Errorf("read registrations: %w", err)
	}
	_, err = scan.Rows(ctx, t.store.Reader(), func(row scan.Row) (none struct{}, err error) {
		var id, address, role string
		if err := row.Scan(&id, &address, &role); err != nil {
			return none, err
		}
		j, err := jid.Parse(address)
		s.Roles[id] = visits.Kept{JID: j, Role: rules.Role(role)}
		return none, err
	}, rolesSQL, at.String())
	if err != nil {
		return fmt.Errorf("read roles: %w", err)
	}
	return nil
}

func (w *writer) requests() error {
	for _, q := range w.Requests {
		var err error
		if q.Nick == "" {
			_, err = w.tx.Exec(endRequestSQL, w.at.String(), q.JID.String())
		} else {
			_, err = w.tx.Exec(addRequestSQL, w.at.String(), q.JID.String(), q.Nick)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) roles() error {
	if w.NoRoles {
		if _, err := w.tx.Exec(endRolesSQL, w.at.String()); err != nil {
			return err
		}
	}
	for _, k := range w.Roles {
		var err error
		if k.Kept.Role == "" {
			_, err = w.tx.Exec(endRoleSQL, w.at.String(), k.ID)
		} else {
			_, err = w.tx.Exec(setRoleSQL, w.at.String(), k.ID, k.Kept.JID.String(), string(k.Kept.Role))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

const (
	nextGenerationSQL = `INSERT INTO room_generations (name, generation) VALUES (?, 1)
ON CONFLICT (name) DO UPDATE SET generation = room_generations.generation + 1`
	generationSQL = `SELECT COALESCE((SELECT generation FROM room_generations WHERE name = ?), 0),
EXISTS (SELECT 1 FROM accounts WHERE jid = ?) AND NOT EXISTS (SELECT 1 FROM removals WHERE account = ?)`
)

// nextGeneration notes that whoever gets the name of a deleted account is somebody else. The name itself is not kept.
func nextGeneration(tx *sql.Tx, account jid.JID) error {
	if _, err := tx.Exec(nextGenerationSQL, hashed(account)); err != nil {
		return fmt.Errorf("note the deletion of %s: %w", account, err)
	}
	return nil
}

func hashed(account jid.JID) string {
	sum := sha256.Sum256([]byte(account.String()))
	return hex.EncodeToString(sum[:])
}

// Generation implements conference.Store.
func (t *Tables) Generation(ctx context.Context, account jid.JID) (n int64, lasting bool, err error) {
	name := account.String()
	err = t.store.Reader().QueryRowContext(context.WithoutCancel(ctx), generationSQL, hashed(account), name, name).Scan(&n, &lasting)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, false, fmt.Errorf("read generation of %s: %w", account, err)
	}
	return n, lasting, nil
}
