package bridge

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// places remembers which row is which room, so that an event costs no query for it.
type places struct {
	mu   sync.Mutex
	rows map[placeID]int64
}

type placeID struct {
	scope transports.LoginID
	key   string
}

// maxPlaces is how many rooms are remembered before all are forgotten.
const maxPlaces = 100_000

// placeKey names a room within its scope. A direct conversation goes by the person, so
// that it is the same before the network has made a room of it.
func placeKey(kind transports.RoomKind, id transports.RoomID, peer transports.UserID) string {
	if kind == transports.Direct && peer != "" {
		return "@" + string(peer)
	}
	if strings.HasPrefix(string(id), "@") || strings.HasPrefix(string(id), "\\") {
		return "\\" + string(id)
	}
	return string(id)
}

func (p *places) get(id placeID) (int64, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	row, ok := p.rows[id]
	return row, ok
}

func (p *places) put(id placeID, row int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rows == nil || len(p.rows) >= maxPlaces {
		p.rows = map[placeID]int64{}
	}
	p.rows[id] = row
}

// forget is for rooms that were removed.
func (p *places) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rows = nil
}

// place finds the room of an event, making it known where it is new. Events about people
// go to the account's own nameless room.
func (g *Gateway) place(ctx context.Context, a *account, e transports.Event) (id int64, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("find the room of an event: %w", err)
		}
	}()
	switch b := e.Body.(type) {
	case transports.Contact:
		return g.placeOf(ctx, a, tables.Room{Scope: a.id})
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
		if known, ok, err := g.roomOf(ctx, a, e.Room); err != nil || ok {
			if ok {
				a.found(known)
			}
			return known.ID, err
		}
	}
	if row, err = g.scoped(ctx, a, row); err != nil {
		return 0, err
	}
	return g.placeOf(ctx, a, row)
}

// placeOf finds or adds a room. What comes to a room whose past the account did not read
// since it was opened is held until it has.
func (g *Gateway) placeOf(ctx context.Context, a *account, row tables.Room) (int64, error) {
	row.Key = placeKey(row.Kind, row.Net, row.Peer)
	id := placeID{row.Scope, row.Key}
	if known, ok := g.places.get(id); ok {
		return known, nil
	}
	known, err := g.store.PutRoom(ctx, row)
	if err != nil {
		return 0, err
	}
	if known.Net == "" && row.Net != "" { // a conversation that began on this side
		known.Net = row.Net
		if err := g.store.Commit(ctx, &tables.Batch{Rooms: tables.RoomBatch{Rooms: []tables.Room{known}}}); err != nil {
			return 0, err
		}
	}
	a.found(known)
	if known.Net != "" || known.Kind == "" {
		g.places.put(id, known.ID)
	}
	return known.ID, nil
}

// scoped gives a room its key and whose view it is. It stays the view that it was: what
// kind of room a channel is can change, and a session may learn it late.
func (g *Gateway) scoped(ctx context.Context, a *account, row tables.Room) (tables.Room, error) {
	if row.Kind == "" {
		row.Kind = transports.Private // the cautious guess
	}
	row.Key = placeKey(row.Kind, row.Net, row.Peer)
	row.Scope = a.id
	if row.Kind == transports.Direct {
		return row, nil
	}
	views := []transports.LoginID{a.id, ""}
	for _, other := range g.accountsOf(a.owner) { // of a user's accounts in it the oldest one's, so that they see it once
		if other == a {
			break
		}
		views = append(views, other.id)
	}
	for _, view := range views {
		if _, ok := g.places.get(placeID{view, row.Key}); ok {
			row.Scope = view
			return row, nil
		}
	}
	for _, view := range views {
		_, ok, err := g.store.FindRoom(ctx, view, row.Key)
		if err != nil {
			return row, err
		}
		if ok {
			row.Scope = view
			return row, nil
		}
	}
	if row.Kind == transports.Public {
		row.Scope = ""
	}
	return row, nil
}

// roomOf finds a room of the network as an account sees it.
func (g *Gateway) roomOf(ctx context.Context, a *account, id transports.RoomID) (tables.Room, bool, error) {
	for _, scope := range []transports.LoginID{a.id, ""} {
		if row, ok, err := g.store.FindRoomID(ctx, scope, id); err != nil || ok {
			return row, ok, err
		}
	}
	return tables.Room{}, false, nil
}

// contactJID is the address of a person of the network.
func (g *Gateway) contactJID(id transports.UserID) (jid.JID, error) {
	return jid.New(jid.EscapeBytes(string(id)), g.domain.Domain(), "")
}

// roomJID is the address of a room of the network.
func (g *Gateway) roomJID(id transports.RoomID) (jid.JID, error) {
	return jid.New(jid.EscapeBytes(string(id)), g.domain.Domain(), "")
}

// networkID is what an address of ours stands for.
func networkID(j jid.JID) string { return jid.UnescapeBytes(j.Local()) }
