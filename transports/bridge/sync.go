package bridge

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// syncTimeout bounds the reading of a whole directory; networks that allow few calls a
// minute take long.
const syncTimeout = time.Hour

// sync reads what an account can see: rooms and people. It runs whenever the session was opened.
func (g *Gateway) sync(ctx context.Context, a *account) {
	d, ok := a.ready().(transports.Directory)
	if !ok || !g.info.Caps.Directory {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, syncTimeout)
	defer cancel()
	left := g.set.Rooms
	err := d.Rooms(ctx, func(page []transports.RoomInfo) error {
		page = page[:min(len(page), left)]
		left -= len(page)
		return g.keepRooms(ctx, a, page)
	})
	if err != nil && ctx.Err() == nil {
		g.log.Warn("listing rooms", "account", a.id, "error", err)
	}
	left = g.set.Rooms
	var watch []transports.UserID
	err = d.Contacts(ctx, func(page []transports.UserInfo) error {
		page = page[:min(len(page), left)]
		left -= len(page)
		people := make([]transports.UserInfo, 0, len(page))
		for _, u := range page {
			if u.ID == "" || len(u.ID) > maxID {
				continue
			}
			people = append(people, clip(u))
			watch = append(watch, u.ID)
		}
		if err := g.store.PutPuppets(ctx, a.id, people); err != nil {
			return err
		}
		g.people.put(people...)
		g.pushContacts(ctx, a, people)
		return nil
	})
	if err != nil && ctx.Err() == nil {
		g.log.Warn("listing contacts", "account", a.id, "error", err)
	}
	if p, ok := a.ready().(transports.Presencer); ok && g.info.Caps.Presence && len(watch) > 0 {
		if err := p.Watch(ctx, watch); err != nil && ctx.Err() == nil {
			g.log.Warn("watching presence", "account", a.id, "error", err)
		}
	}
	a.runCatchUp()
}

// keepRooms makes a page of rooms known, and reads the history of those that are new.
func (g *Gateway) keepRooms(ctx context.Context, a *account, page []transports.RoomInfo) error {
	var rows []tables.Room
	var seen []tables.Visibility
	for _, info := range page {
		if info.ID == "" || len(info.ID) > maxID || len(info.Peer) > maxID || info.Kind == transports.Direct && info.Peer == "" {
			continue
		}
		row, err := g.rowOfInfo(ctx, a, info)
		if err != nil {
			return err
		}
		rows = append(rows, row)
		seen = append(seen, tables.Visibility{Login: a.id, Joined: info.Joined, Writable: info.Writable})
	}
	rows, err := g.store.PutRooms(ctx, rows, a.id, seen)
	if err != nil {
		return err
	}
	joined := rows[:0:0]
	for i, row := range rows {
		if seen[i].Joined {
			joined = append(joined, row)
		}
	}
	a.found(joined...)
	for _, row := range rows { // from now on events find them without looking, see placeOf
		g.places.put(placeID{row.Scope, row.Key}, row.ID)
	}
	return nil
}

func (g *Gateway) rowOfInfo(ctx context.Context, a *account, info transports.RoomInfo) (tables.Room, error) {
	return g.scoped(ctx, a, merge(tables.Room{Net: info.ID, Kind: info.Kind, Peer: info.Peer}, info))
}

// knowRoom makes one room known and returns its row's id.
func (g *Gateway) knowRoom(ctx context.Context, a *account, info transports.RoomInfo) (int64, error) {
	if err := g.keepRooms(ctx, a, []transports.RoomInfo{info}); err != nil {
		return 0, err
	}
	row, err := g.rowOfInfo(ctx, a, info)
	if err != nil {
		return 0, err
	}
	if id, ok := g.places.get(placeID{row.Scope, row.Key}); ok {
		return id, nil
	}
	return 0, stanza.ItemNotFound("")
}
