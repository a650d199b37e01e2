package rooms

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// syncTimeout bounds the reading of a whole directory; networks that allow few calls a
// minute take long.
const syncTimeout = time.Hour

// Sync reads what a login can see: rooms and people. It runs whenever a client was opened. It reports whether all rooms were listed.
func (r *Rooms) Sync(ctx context.Context, l *logins.Login) bool {
	directory, ok := l.Client().(transports.Directory)
	if !ok || !r.env.Info.Caps.Directory {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, syncTimeout)
	defer cancel()
	before := r.visible(ctx, l)
	listed := map[transports.RoomID]bool{}
	left, names := r.env.Settings.Rooms, r.spaceNames(ctx, l)
	err := directory.Rooms(ctx, func(page []transports.RoomInfo) error {
		page = page[:min(len(page), left)]
		left -= len(page)
		for i := range page {
			listed[page[i].ID] = page[i].Joined
			if page[i].Group == "" {
				page[i].Group = names[page[i].Space]
			}
		}
		return r.keep(ctx, l, page)
	})
	if err != nil && ctx.Err() == nil {
		r.env.Log.Warn("listing rooms", "login", l.ID, "error", err)
	}
	complete := err == nil && left > 0
	if complete {
		r.unlisted(ctx, l, before, listed)
	}
	watch := r.syncContacts(ctx, l, directory)
	if p, ok := l.Client().(transports.Presencer); ok && r.env.Info.Caps.Presence && len(watch) > 0 {
		if err := p.Watch(ctx, watch); err != nil && ctx.Err() == nil {
			r.env.Log.Warn("watching presence", "login", l.ID, "error", err)
		}
	}
	return complete
}

// visible are the rooms that a login sees.
func (r *Rooms) visible(ctx context.Context, l *logins.Login) (list []tables.ListedRoom) {
	err := r.each(ctx, l, func(row tables.ListedRoom) bool {
		if !row.Direct() {
			list = append(list, row)
		}
		return true
	})
	if err != nil {
		r.env.Log.Error("reading the rooms of a login", "login", l.ID, "error", err)
	}
	return list
}

// unlisted treats the rooms that the network has not listed again. listed has those that it has, with whether the login is in them.
func (r *Rooms) unlisted(ctx context.Context, l *logins.Login, before []tables.ListedRoom, listed map[transports.RoomID]bool) {
	var hidden []tables.Room
	for _, row := range before {
		joined, known := listed[row.Net]
		switch {
		case row.Net == "":
		case row.Visible.Joined && !joined && row.Kind == transports.Private:
			r.Index.backfill.Doubted(ctx, l, row.Room)
		case !row.Visible.Joined && !known: // a channel that was public
			hidden = append(hidden, row.Room)
			r.Index.Hide(l.ID, row.Key)
		}
	}
	if err := r.store.HideRooms(ctx, l.ID, hidden); err != nil {
		r.env.Log.Error("hiding rooms", "login", l.ID, "error", err)
	}
}

// spaceNames are the names of a login's workspaces, under which rooms are listed that name no group.
func (r *Rooms) spaceNames(ctx context.Context, l *logins.Login) map[transports.SpaceID]string {
	lister, ok := l.Client().(transports.SpaceLister)
	if !ok || !r.env.Info.Caps.Spaces {
		return nil
	}
	spaces, err := lister.Spaces(ctx)
	if err != nil {
		if ctx.Err() == nil {
			r.env.Log.Warn("listing spaces", "login", l.ID, "error", err)
		}
		return nil
	}
	names := make(map[transports.SpaceID]string, len(spaces))
	for _, s := range spaces {
		names[s.ID] = s.Name
	}
	return names
}

// syncContacts reads the contacts of a login and returns who they are.
func (r *Rooms) syncContacts(ctx context.Context, l *logins.Login, directory transports.Directory) (watch []transports.UserID) {
	left := r.env.Settings.Rooms
	err := directory.Contacts(ctx, func(page []transports.UserInfo) error {
		page = page[:min(len(page), left)]
		left -= len(page)
		people := make([]transports.UserInfo, 0, len(page))
		for _, u := range page {
			if u.ID == "" || len(u.ID) > convert.MaxID {
				continue
			}
			people = append(people, convert.ClipUser(u))
			watch = append(watch, u.ID)
		}
		if err := r.store.PutPuppets(ctx, l.ID, people); err != nil {
			return err
		}
		r.people.Put(people...)
		r.roster.Push(ctx, l, people)
		return nil
	})
	if err != nil && ctx.Err() == nil {
		r.env.Log.Warn("listing contacts", "login", l.ID, "error", err)
	}
	return watch
}

// keep keeps a page of rooms that a login sees, and has the history read of those that are new.
func (r *Rooms) keep(ctx context.Context, l *logins.Login, page []transports.RoomInfo) error {
	var rows []tables.Room
	var visible []tables.Visibility
	for _, info := range page {
		if info.ID == "" || len(info.ID) > convert.MaxID || len(info.Peer) > convert.MaxID || info.Kind == transports.Direct && info.Peer == "" {
			continue
		}
		rows = append(rows, Scoped(l, convert.RoomInfo(tables.Room{Net: info.ID, Kind: info.Kind, Peer: info.Peer}, info)))
		visible = append(visible, tables.Visibility{Login: l.ID, Joined: info.Joined, Writable: info.Writable})
	}
	put, err := r.store.PutRooms(ctx, rows, l.ID, visible)
	if err != nil {
		return err
	}
	for _, row := range put.Closed {
		r.Index.HideAll(row.ID)
	}
	for _, row := range put.Changed {
		r.described(row.ID)
	}
	rows = put.Kept
	joined := rows[:0:0]
	for i, row := range rows {
		if visible[i].Joined {
			joined = append(joined, row)
		}
	}
	r.Index.backfill.Found(l, joined...)
	for _, row := range rows { // from now on events find them without a query
		r.Index.put(l, row.Key, row.ID)
	}
	return nil
}

// Learn keeps one room and returns its row.
func (r *Rooms) Learn(ctx context.Context, l *logins.Login, info transports.RoomInfo) (int64, bool, error) {
	if err := r.keep(ctx, l, []transports.RoomInfo{info}); err != nil {
		return 0, false, err
	}
	row := Scoped(l, tables.Room{Net: info.ID, Kind: info.Kind, Peer: info.Peer})
	id, ok := r.Index.get(l, row.Key)
	return id, ok, nil
}
