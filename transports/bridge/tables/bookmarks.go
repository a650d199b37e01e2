package tables

import (
	"context"

	"github.com/dragoman-im/dragoman/core/store/scan"
	"github.com/dragoman-im/dragoman/transports"
)

// BookmarkState says whose a bookmark of a room is.
type BookmarkState int

// The states of bookmarks.
const (
	NoBookmark    BookmarkState = iota // the room was only noted, or the owner was invited to it
	OwnBookmark                        // the gateway has made it
	FoundBookmark                      // the owner had it before
)

// Bookmark is a room that a login is in, as far as its owner's bookmarks are concerned.
type Bookmark struct {
	Login transports.LoginID
	Room  int64
	Net   transports.RoomID // of the room; only read
	Name  string            // of the room, as it was last compared with the bookmark
	State BookmarkState
}

const (
	bookmarksSQL = `SELECT b.login, b.room, r.room, b.name, b.state FROM bridge_bookmarks b JOIN bridge_rooms r ON r.id = b.room
WHERE b.login = ? AND r.gateway = ? ORDER BY b.room`
	// The login or the room may be gone: then nothing is kept.
	putBookmarkSQL = `INSERT INTO bridge_bookmarks (login, room, name, state)
SELECT CAST(?1 AS TEXT), CAST(?2 AS BIGINT), CAST(?3 AS TEXT), CAST(?4 AS INTEGER)
WHERE EXISTS (SELECT 1 FROM bridge_accounts WHERE id = ?1) AND EXISTS (SELECT 1 FROM bridge_rooms WHERE id = ?2)
ON CONFLICT (login, room) DO UPDATE SET name = excluded.name, state = excluded.state`
	dropBookmarkSQL = `DELETE FROM bridge_bookmarks WHERE login = ? AND room = ?`
)

// Bookmarks are those of a login, by room.
func (s *Store) Bookmarks(ctx context.Context, login transports.LoginID) ([]Bookmark, error) {
	return scan.Rows(ctx, s.engine.Reader(), func(row scan.Row) (b Bookmark, err error) {
		err = row.Scan(&b.Login, &b.Room, &b.Net, &b.Name, &b.State)
		return b, err
	}, bookmarksSQL, string(login), s.id)
}

// PutBookmark adds a bookmark or changes it.
func (s *Store) PutBookmark(ctx context.Context, b Bookmark) error {
	return s.exec(ctx, putBookmarkSQL, string(b.Login), b.Room, b.Name, int(b.State))
}

// DropBookmark removes a bookmark.
func (s *Store) DropBookmark(ctx context.Context, login transports.LoginID, room int64) error {
	return s.exec(ctx, dropBookmarkSQL, string(login), room)
}
