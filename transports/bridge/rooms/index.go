package rooms

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Backfill reads what may have been missed.
type Backfill interface {
	// Found is called with rooms that may be new to a login.
	Found(l *logins.Login, rooms ...tables.Room)
	// Doubted is called for a private room that a login may have left unnoticed.
	Doubted(ctx context.Context, l *logins.Login, r tables.Room)
}

// IndexStore has the rows of rooms.
type IndexStore interface {
	// PutRoom adds a room or returns the one of the same scope and key.
	PutRoom(ctx context.Context, r tables.Room) (tables.Room, error)
	FindRoom(ctx context.Context, scope transports.LoginID, key string) (tables.Room, bool, error)
	FindRoomID(ctx context.Context, scope transports.LoginID, room transports.RoomID) (tables.Room, bool, error)
	RoomLogins(ctx context.Context, room int64) ([]tables.Visibility, error)
	Commit(ctx context.Context, b *tables.Batch) error
}

// maxIndexed is how many rooms are remembered before all are forgotten.
const maxIndexed = 100_000

// Index remembers the rows of rooms that logins see, so that an event costs no query for its room.
type Index struct {
	store    IndexStore
	backfill Backfill

	mu   sync.Mutex
	rows map[indexKey]int64
}

type indexKey struct {
	login transports.LoginID // that sees the room
	key   string
}

// NewIndex makes an empty index. Connect has to be called before its use.
func NewIndex(store IndexStore) *Index { return &Index{store: store, rows: map[indexKey]int64{}} }

// Connect gives the part that is built on this one.
func (x *Index) Connect(b Backfill) { x.backfill = b }

func (x *Index) get(l *logins.Login, key string) (int64, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	row, ok := x.rows[indexKey{l.ID, key}]
	return row, ok
}

func (x *Index) put(l *logins.Login, key string, row int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.rows) >= maxIndexed {
		clear(x.rows)
	}
	x.rows[indexKey{l.ID, key}] = row
}

// Hide forgets that a login sees a room.
func (x *Index) Hide(login transports.LoginID, key string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.rows, indexKey{login, key})
}

// HideAll forgets who sees a room, where that has to be read again.
func (x *Index) HideAll(room int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for key, row := range x.rows {
		if row == room {
			delete(x.rows, key)
		}
	}
}

// Forget forgets all, after rows were removed.
func (x *Index) Forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	clear(x.rows)
}

// Locate finds the room of an event, and adds it where it is new. Events about people go to a
// nameless room of the login's own.
func (x *Index) Locate(ctx context.Context, l *logins.Login, e transports.Event) (int64, error) {
	id, err := x.locate(ctx, l, e)
	if err != nil {
		return 0, fmt.Errorf("find the room of an event: %w", err)
	}
	return id, nil
}

func (x *Index) locate(ctx context.Context, l *logins.Login, e transports.Event) (int64, error) {
	switch b := e.Body.(type) {
	case transports.Contact:
		return x.rowOf(ctx, l, tables.Room{Scope: l.ID})
	case transports.RoomChanged:
		if b.Info.Kind != "" {
			e.Kind = b.Info.Kind
		}
		if b.Info.Peer != "" {
			e.Peer = b.Info.Peer
		}
	}
	row := tables.Room{Net: e.Room, Kind: e.Kind, Peer: e.Peer}
	if row.Kind == transports.Direct && row.Peer == "" || row.Kind == "" {
		if id, ok := x.get(l, convert.RoomKey(row.Kind, row.Net, row.Peer)); ok && row.Kind != transports.Direct {
			return id, nil
		}
		known, ok, err := x.ByNetworkID(ctx, l, e.Room)
		if err != nil {
			return 0, err
		}
		if ok {
			x.backfill.Found(l, known)
			return known.ID, nil
		}
	}
	return x.rowOf(ctx, l, Scoped(l, row))
}

// Scoped gives a room its key, and the login whose it is where it is a direct chat.
func Scoped(l *logins.Login, row tables.Room) tables.Room {
	if row.Kind == "" {
		row.Kind = transports.Private // the cautious guess
	}
	row.Key = convert.RoomKey(row.Kind, row.Net, row.Peer)
	if row.Kind == transports.Direct {
		row.Scope = l.ID
	}
	return row
}

// rowOf finds or adds a room. Events of a room whose history the login did not read since it was
// opened are held until it has.
func (x *Index) rowOf(ctx context.Context, l *logins.Login, row tables.Room) (int64, error) {
	row.Key = convert.RoomKey(row.Kind, row.Net, row.Peer)
	if id, ok := x.get(l, row.Key); ok {
		return id, nil
	}
	known, err := x.store.PutRoom(ctx, row)
	if err != nil {
		return 0, err
	}
	if known.Net == "" && row.Net != "" { // a direct chat that began on this side
		known.Net = row.Net
		if err := x.store.Commit(ctx, &tables.Batch{Rooms: tables.RoomBatch{Rooms: []tables.Room{known}}}); err != nil {
			return 0, err
		}
	}
	x.backfill.Found(l, known)
	if known.Net != "" || known.Kind == "" {
		x.put(l, row.Key, known.ID)
	}
	return known.ID, nil
}

// ByNetworkID finds a room of the network, as a login sees it.
func (x *Index) ByNetworkID(ctx context.Context, l *logins.Login, id transports.RoomID) (tables.Room, bool, error) {
	for _, scope := range []transports.LoginID{l.ID, ""} {
		if row, ok, err := x.store.FindRoomID(ctx, scope, id); err != nil || ok {
			return row, ok, err
		}
	}
	return tables.Room{}, false, nil
}

// Found is what Visible has found.
type Found int

// What Visible finds.
const (
	NoRoom  Found = iota // no login of anybody is known to see a room of that id
	Hidden               // others' logins see it
	Visible              // one of the logins sees it
)

// Visible finds the room of a network's id that one of the logins of a user sees.
func (x *Index) Visible(ctx context.Context, list []*logins.Login, id string) (int64, Found, error) {
	key := convert.RoomKey("", transports.RoomID(id), "")
	for _, l := range list {
		if _, ok := x.get(l, "@"+id); ok {
			return 0, NoRoom, nil // a contact with a direct chat
		}
	}
	for _, l := range list {
		if row, ok := x.get(l, key); ok {
			return row, Visible, nil
		}
	}
	row, ok, err := x.store.FindRoom(ctx, "", key)
	if err != nil || !ok || row.Direct() {
		return 0, NoRoom, err
	}
	seen, err := x.store.RoomLogins(ctx, row.ID)
	if err != nil {
		return 0, NoRoom, err
	}
	for _, l := range list {
		if slices.ContainsFunc(seen, func(v tables.Visibility) bool { return v.Login == l.ID }) {
			x.put(l, key, row.ID)
			return row.ID, Visible, nil
		}
	}
	return row.ID, Hidden, nil
}

// Direct finds or adds the direct chat of a login with somebody.
func (x *Index) Direct(ctx context.Context, l *logins.Login, peer transports.UserID) (int64, error) {
	return x.rowOf(ctx, l, tables.Room{Scope: l.ID, Kind: transports.Direct, Peer: peer})
}

// HasDirect reports whether a login has a direct chat with somebody.
func (x *Index) HasDirect(ctx context.Context, l *logins.Login, peer transports.UserID) bool {
	_, ok, err := x.store.FindRoom(ctx, l.ID, convert.RoomKey(transports.Direct, "", peer))
	return ok && err == nil
}

// ownerOf picks, of a user's logins that see a room, the one by which they are in it.
func ownerOf(registry *logins.Registry, who jid.JID, seen []tables.Visibility) (best *logins.Login, by tables.Visibility) {
	for _, l := range registry.Of(who) {
		i := slices.IndexFunc(seen, func(v tables.Visibility) bool { return v.Login == l.ID })
		if i >= 0 && (best == nil || seen[i].Joined && !by.Joined) {
			best, by = l, seen[i]
		}
	}
	return best, by
}
