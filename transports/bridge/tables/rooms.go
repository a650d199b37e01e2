package tables

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/dragoman-im/dragoman/core/store/scan"
	"github.com/dragoman-im/dragoman/transports"
)

const (
	roomColumns = `r.id, r.scope, r.key, r.room, r.kind, r.peer, r.name, r.topic, r.space, r.section, r.members, r.seen, r.seen_at, r.filled`

	findRoomSQL   = `SELECT ` + roomColumns + ` FROM bridge_rooms r WHERE r.gateway = ? AND r.scope = ? AND r.key = ?`
	findRoomIDSQL = `SELECT ` + roomColumns + ` FROM bridge_rooms r WHERE r.gateway = ? AND r.scope = ? AND r.room = ? LIMIT 1`
	roomByIDSQL   = `SELECT ` + roomColumns + ` FROM bridge_rooms r WHERE r.gateway = ? AND r.id = ?`

	loginRoomsSQL = `SELECT ` + roomColumns + `, v.login, v.joined, v.writable FROM bridge_visible v JOIN bridge_rooms r ON r.id = v.room
WHERE v.login = ? AND v.room > ? AND r.gateway = ? ORDER BY v.room LIMIT ?`
	roomLoginsSQL = `SELECT login, room, joined, writable FROM bridge_visible WHERE room = ? ORDER BY login`

	addRoomSQL = `INSERT INTO bridge_rooms (gateway, scope, key, room, kind, peer, name, topic, space, section, members, seen, seen_at, filled)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (gateway, scope, key) DO NOTHING`
	putRoomSQL    = `UPDATE bridge_rooms SET room = ?, kind = ?, name = ?, topic = ?, space = ?, section = ?, members = ? WHERE id = ?`
	progressSQL   = `UPDATE bridge_rooms SET seen = ?, seen_at = ? WHERE id = ?`
	backfilledSQL = `UPDATE bridge_rooms SET filled = TRUE WHERE id = ?`

	putVisibleSQL = `INSERT INTO bridge_visible (login, room, joined, writable) VALUES (?, ?, ?, ?)
ON CONFLICT (login, room) DO UPDATE SET joined = excluded.joined, writable = excluded.writable`
	closeSQL = `DELETE FROM bridge_visible WHERE room = ? AND NOT joined`
	hideSQL  = `DELETE FROM bridge_visible WHERE login = ? AND room = ?`

	dropMemberSQL  = `DELETE FROM bridge_members WHERE room = ? AND person = ?`
	roomMembersSQL = `SELECT p.info FROM bridge_members m JOIN bridge_people p ON p.id = m.person AND p.gateway = ? WHERE m.room = ? LIMIT ?`
)

func readRoom(row scan.Row) (r Room, err error) {
	err = scanRoom(row, &r)
	return r, err
}

func scanRoom(row scan.Row, r *Room, more ...any) error {
	var lastAt int64
	err := row.Scan(append([]any{&r.ID, &r.Scope, &r.Key, &r.Net, &r.Kind, &r.Peer, &r.Name, &r.Topic, &r.Space, &r.Group,
		&r.Members, &r.Last, &lastAt, &r.Backfilled}, more...)...)
	r.LastAt = moment(lastAt)
	return err
}

// PutRoom adds a room or returns the one of the same scope and key, unchanged.
func (s *Store) PutRoom(ctx context.Context, r Room) (row Room, err error) {
	err = s.engine.Write(ctx, func(tx *sql.Tx) error {
		row, err = s.addRoom(tx, r)
		return err
	})
	return row, err
}

func (s *Store) addRoom(tx *sql.Tx, r Room) (Room, error) {
	_, err := tx.Exec(addRoomSQL, s.id, string(r.Scope), r.Key, string(r.Net), string(r.Kind), string(r.Peer), r.Name, r.Topic, string(r.Space), r.Group,
		r.Members, string(r.Last), micros(r.LastAt), r.Backfilled)
	if err == nil {
		r, err = readRoom(tx.QueryRow(findRoomSQL, s.id, string(r.Scope), r.Key))
	}
	if err != nil {
		return r, fmt.Errorf("keep room %s: %w", r.Key, err)
	}
	return r, nil
}

func updateRoom(tx *sql.Tx, r Room) error {
	_, err := tx.Exec(putRoomSQL, string(r.Net), string(r.Kind), r.Name, r.Topic, string(r.Space), r.Group, r.Members, r.ID)
	if err == nil && r.Kind == transports.Private { // only its members see it; it may have been public
		_, err = tx.Exec(closeSQL, r.ID)
	}
	return err
}

// FindRoom finds a room by its key.
func (s *Store) FindRoom(ctx context.Context, scope transports.LoginID, key string) (Room, bool, error) {
	return oneRow(readRoom(s.engine.Reader().QueryRowContext(ctx, findRoomSQL, s.id, string(scope), key)))
}

// FindRoomID finds a room by the network's id.
func (s *Store) FindRoomID(ctx context.Context, scope transports.LoginID, room transports.RoomID) (Room, bool, error) {
	return oneRow(readRoom(s.engine.Reader().QueryRowContext(ctx, findRoomIDSQL, s.id, string(scope), string(room))))
}

// RoomByID finds a room by the number of its row.
func (s *Store) RoomByID(ctx context.Context, id int64) (Room, bool, error) {
	return oneRow(readRoom(s.engine.Reader().QueryRowContext(ctx, roomByIDSQL, s.id, id)))
}

// LoginRooms are the rooms that a login sees, by id from after on.
func (s *Store) LoginRooms(ctx context.Context, login transports.LoginID, after int64, limit int) ([]ListedRoom, error) {
	return scan.Rows(ctx, s.engine.Reader(), func(row scan.Row) (r ListedRoom, err error) {
		err = scanRoom(row, &r.Room, &r.Visible.Login, &r.Visible.Joined, &r.Visible.Writable)
		r.Visible.Room = r.ID
		return r, err
	}, loginRoomsSQL, string(login), after, s.id, limit)
}

// HideRooms removes rooms from those that a login sees.
func (s *Store) HideRooms(ctx context.Context, login transports.LoginID, rooms []Room) error {
	defer s.seen.Add(1)
	return s.engine.Write(ctx, func(tx *sql.Tx) error {
		return each(tx, hideSQL, rooms, func(r Room) []any { return []any{string(login), r.ID} })
	})
}

// RoomLogins are the logins that see a room.
func (s *Store) RoomLogins(ctx context.Context, room int64) ([]Visibility, error) {
	return scan.Rows(ctx, s.engine.Reader(), func(row scan.Row) (v Visibility, err error) {
		err = row.Scan(&v.Login, &v.Room, &v.Joined, &v.Writable)
		return v, err
	}, roomLoginsSQL, room)
}

// PutRooms is what has become of rooms that were added or updated.
type PutRooms struct {
	Kept    []Room // all of them
	Closed  []Room // those that were public and are private now: only their members see them still
	Changed []Room // those that have another name, topic or workspace now
}

// PutRooms adds or updates rooms that a login sees; visible has one entry for each.
func (s *Store) PutRooms(ctx context.Context, rooms []Room, login transports.LoginID, visible []Visibility) (put PutRooms, err error) {
	defer s.seen.Add(1)
	err = s.engine.Write(ctx, func(tx *sql.Tx) error {
		put = PutRooms{Kept: make([]Room, len(rooms))}
		for i, r := range rooms {
			row, err := s.addRoom(tx, r)
			if err != nil {
				return err
			}
			r.ID, r.Last, r.LastAt, r.Backfilled = row.ID, row.Last, row.LastAt, row.Backfilled
			if err := updateRoom(tx, r); err != nil {
				return fmt.Errorf("keep room %s: %w", r.Key, err)
			}
			if _, err := tx.Exec(putVisibleSQL, string(login), r.ID, visible[i].Joined, visible[i].Writable); err != nil {
				return fmt.Errorf("keep who sees room %s: %w", r.Key, err)
			}
			put.Kept[i] = r
			if row.Kind == transports.Public && r.Kind == transports.Private {
				put.Closed = append(put.Closed, r)
			}
			if row.Name != r.Name || row.Topic != r.Topic || row.Space != r.Space || row.Group != r.Group {
				put.Changed = append(put.Changed, r)
			}
		}
		return nil
	})
	return put, err
}

// RoomMembers are the members of a room as far as they are known.
func (s *Store) RoomMembers(ctx context.Context, room int64, limit int) ([]transports.UserInfo, error) {
	return scan.Rows(ctx, s.engine.Reader(), readPuppet, roomMembersSQL, s.id, room, limit)
}
