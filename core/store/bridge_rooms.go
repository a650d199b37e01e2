package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge"
)

const (
	roomColumns = `r.id, r.scope, r.key, r.room, r.kind, r.peer, r.name, r.topic, r.space, r.section, r.members, r.seen, r.seen_at, r.filled`

	findRoomSQL   = `SELECT ` + roomColumns + ` FROM bridge_rooms r WHERE r.gateway = ? AND r.scope = ? AND r.key = ?`
	findRoomIDSQL = `SELECT ` + roomColumns + ` FROM bridge_rooms r WHERE r.gateway = ? AND r.scope = ? AND r.room = ? LIMIT 1`
	roomByIDSQL   = `SELECT ` + roomColumns + ` FROM bridge_rooms r WHERE r.gateway = ? AND r.id = ?`

	accountRoomsSQL = `SELECT ` + roomColumns + `, v.login, v.joined, v.writable FROM bridge_visible v JOIN bridge_rooms r ON r.id = v.room
WHERE v.login = ? AND v.room > ? AND r.gateway = ? ORDER BY v.room LIMIT ?`
	roomAccountsSQL = `SELECT login, room, joined, writable FROM bridge_visible WHERE room = ? ORDER BY login`

	addRoomSQL = `INSERT INTO bridge_rooms (gateway, scope, key, room, kind, peer, name, topic, space, section, members, seen, seen_at, filled)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (gateway, scope, key) DO NOTHING`
	putRoomSQL = `UPDATE bridge_rooms SET room = ?, kind = ?, name = ?, topic = ?, space = ?, section = ?, members = ? WHERE id = ?`
	seenSQL    = `UPDATE bridge_rooms SET seen = ?, seen_at = ? WHERE id = ?`
	filledSQL  = `UPDATE bridge_rooms SET filled = TRUE WHERE id = ?`

	putVisibleSQL = `INSERT INTO bridge_visible (login, room, joined, writable) VALUES (?, ?, ?, ?)
ON CONFLICT (login, room) DO UPDATE SET joined = excluded.joined, writable = excluded.writable`
	hideSQL = `DELETE FROM bridge_visible WHERE login = ? AND room = ?`

	addMemberSQL   = `INSERT INTO bridge_members (room, person) VALUES (?, ?) ON CONFLICT DO NOTHING`
	dropMemberSQL  = `DELETE FROM bridge_members WHERE room = ? AND person = ?`
	roomMembersSQL = `SELECT p.info FROM bridge_members m JOIN bridge_people p ON p.id = m.person AND p.gateway = ? WHERE m.room = ? LIMIT ?`
)

func readRoom(row scanner) (r bridge.RoomRow, err error) {
	err = scanRoom(row, &r)
	return r, err
}

func scanRoom(row scanner, r *bridge.RoomRow, more ...any) error {
	var seenAt int64
	err := row.Scan(append([]any{&r.ID, &r.Scope, &r.Key, &r.Room, &r.Kind, &r.Peer, &r.Name, &r.Topic, &r.Space, &r.Group,
		&r.Members, &r.Seen, &seenAt, &r.Filled}, more...)...)
	r.SeenAt = moment(seenAt)
	return err
}

// PutRoom implements bridge.Rooms.
func (b *Bridge) PutRoom(ctx context.Context, r bridge.RoomRow) (row bridge.RoomRow, err error) {
	err = b.s.Write(ctx, func(tx *sql.Tx) error {
		row, err = b.addRoom(tx, r)
		return err
	})
	return row, err
}

func (b *Bridge) addRoom(tx *sql.Tx, r bridge.RoomRow) (bridge.RoomRow, error) {
	_, err := tx.Exec(addRoomSQL, b.id, string(r.Scope), r.Key, string(r.Room), string(r.Kind), string(r.Peer), r.Name, r.Topic, string(r.Space), r.Group,
		r.Members, string(r.Seen), micros(r.SeenAt), r.Filled)
	if err == nil {
		r, err = readRoom(tx.QueryRow(findRoomSQL, b.id, string(r.Scope), r.Key))
	}
	if err != nil {
		return r, fmt.Errorf("keep room %s: %w", r.Key, err)
	}
	return r, nil
}

func updateRoom(tx *sql.Tx, r bridge.RoomRow) error {
	_, err := tx.Exec(putRoomSQL, string(r.Room), string(r.Kind), r.Name, r.Topic, string(r.Space), r.Group, r.Members, r.ID)
	return err
}

// FindRoom implements bridge.Rooms.
func (b *Bridge) FindRoom(ctx context.Context, scope transports.LoginID, key string) (bridge.RoomRow, bool, error) {
	return oneRow(readRoom(b.s.reads.QueryRowContext(ctx, findRoomSQL, b.id, string(scope), key)))
}

// FindRoomID implements bridge.Rooms.
func (b *Bridge) FindRoomID(ctx context.Context, scope transports.LoginID, room transports.RoomID) (bridge.RoomRow, bool, error) {
	return oneRow(readRoom(b.s.reads.QueryRowContext(ctx, findRoomIDSQL, b.id, string(scope), string(room))))
}

// RoomByID implements bridge.Rooms.
func (b *Bridge) RoomByID(ctx context.Context, id int64) (bridge.RoomRow, bool, error) {
	return oneRow(readRoom(b.s.reads.QueryRowContext(ctx, roomByIDSQL, b.id, id)))
}

func oneRow[T any](v T, err error) (T, bool, error) {
	ok, err := found(err)
	return v, ok, err
}

// AccountRooms implements bridge.Rooms.
func (b *Bridge) AccountRooms(ctx context.Context, account transports.LoginID, after int64, limit int) ([]bridge.ListedRoom, error) {
	return scan(ctx, b.s.reads, func(row scanner) (r bridge.ListedRoom, err error) {
		err = scanRoom(row, &r.RoomRow, &r.Visible.Account, &r.Visible.Joined, &r.Visible.Writable)
		r.Visible.Room = r.ID
		return r, err
	}, accountRoomsSQL, string(account), after, b.id, limit)
}

// RoomAccounts implements bridge.Rooms.
func (b *Bridge) RoomAccounts(ctx context.Context, room int64) ([]bridge.VisibleRow, error) {
	return scan(ctx, b.s.reads, func(row scanner) (v bridge.VisibleRow, err error) {
		err = row.Scan(&v.Account, &v.Room, &v.Joined, &v.Writable)
		return v, err
	}, roomAccountsSQL, room)
}

// PutVisible implements bridge.Rooms.
func (b *Bridge) PutVisible(ctx context.Context, rooms []bridge.RoomRow, account transports.LoginID, seen []bridge.VisibleRow) ([]bridge.RoomRow, error) {
	kept := make([]bridge.RoomRow, len(rooms))
	err := b.s.Write(ctx, func(tx *sql.Tx) error {
		for i, r := range rooms {
			row, err := b.addRoom(tx, r)
			if err != nil {
				return err
			}
			r.ID, r.Seen, r.SeenAt, r.Filled = row.ID, row.Seen, row.SeenAt, row.Filled
			if err := updateRoom(tx, r); err != nil {
				return fmt.Errorf("keep room %s: %w", r.Key, err)
			}
			if _, err := tx.Exec(putVisibleSQL, string(account), r.ID, seen[i].Joined, seen[i].Writable); err != nil {
				return fmt.Errorf("keep who sees room %s: %w", r.Key, err)
			}
			kept[i] = r
		}
		return nil
	})
	return kept, err
}

// RoomMembers implements bridge.Rooms.
func (b *Bridge) RoomMembers(ctx context.Context, room int64, limit int) ([]transports.UserInfo, error) {
	return scan(ctx, b.s.reads, readPerson, roomMembersSQL, b.id, room, limit)
}
