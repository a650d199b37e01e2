package router

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
)

// BookmarkedRoom is a room that an account has bookmarked (XEP-0402).
type BookmarkedRoom struct {
	JID      jid.JID // bare
	Nick     string
	Autojoin bool
	Notify   string // always, on-mention or never (XEP-0492); "": nothing is set
}

// RoomBookmarks returns the rooms that an account has bookmarked. features/bookmarks implements it.
type RoomBookmarks interface {
	Rooms(ctx context.Context, account jid.JID) ([]BookmarkedRoom, error)
}
