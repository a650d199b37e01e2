package pushes

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/features/push"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/notification"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

var (
	_ notification.Store = (*Tables)(nil)
	_ push.Bookmarks     = (*Tables)(nil)
)

// maxQuery is how many accounts one query names.
const maxQuery = 500

// The name of the node is a constant in the statements, so that the index of it is used.
const (
	roomBookmarksSQL = `SELECT i.service, i.payload FROM pubsub_items i WHERE i.node = 'urn:xmpp:bookmarks:1' AND i.item = ?
  AND EXISTS (SELECT 1 FROM pushes p WHERE p.account = i.service) ORDER BY i.service LIMIT ?`
	accountBookmarksSQL = `SELECT item, payload FROM pubsub_items WHERE service = ? AND node = 'urn:xmpp:bookmarks:1' ORDER BY position DESC LIMIT ?`
	notifiableSQL       = `SELECT DISTINCT account FROM pushes WHERE account IN (`
)

// RoomBookmarks implements notification.Store.
func (t *Tables) RoomBookmarks(ctx context.Context, room jid.JID, limit int) (map[jid.JID]notification.Bookmark, error) {
	list, err := t.bookmarks(ctx, roomBookmarksSQL, room.String(), limit)
	if err != nil {
		return nil, fmt.Errorf("read who has bookmarked %s: %w", room, err)
	}
	return list, nil
}

// AccountBookmarks implements push.Bookmarks.
func (t *Tables) AccountBookmarks(ctx context.Context, account jid.JID, limit int) (map[jid.JID]notification.Bookmark, error) {
	list, err := t.bookmarks(ctx, accountBookmarksSQL, account.String(), limit)
	if err != nil {
		return nil, fmt.Errorf("read bookmarks of %s: %w", account, err)
	}
	return list, nil
}

// bookmarks reads rows of an address and a bookmark. What is none is left out.
func (t *Tables) bookmarks(ctx context.Context, query, of string, limit int) (map[jid.JID]notification.Bookmark, error) {
	found := map[jid.JID]notification.Bookmark{}
	_, err := scan.Rows(ctx, t.store.Reader(), func(row scan.Row) (none struct{}, err error) {
		var address, payload string
		if err := row.Scan(&address, &payload); err != nil {
			return none, err
		}
		if j, err := jid.Parse(address); err == nil {
			if b, ok := notification.ParseBookmark(payload); ok {
				found[j] = b
			}
		}
		return none, nil
	}, query, of, limit)
	return found, err
}

// Notifiable implements notification.Store.
func (t *Tables) Notifiable(ctx context.Context, accounts []jid.JID) ([]jid.JID, error) {
	var found []jid.JID
	for part := range slices.Chunk(accounts, maxQuery) {
		args := make([]any, len(part))
		for i, a := range part {
			args[i] = a.String()
		}
		list, err := scan.Rows(ctx, t.store.Reader(), func(row scan.Row) (j jid.JID, err error) {
			var account string
			if err := row.Scan(&account); err != nil {
				return j, err
			}
			return jid.Parse(account)
		}, notifiableSQL+"?"+strings.Repeat(", ?", len(part)-1)+")", args...)
		if err != nil {
			return nil, fmt.Errorf("read who has push services: %w", err)
		}
		found = append(found, list...)
	}
	return found, nil
}
