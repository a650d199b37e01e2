package rooms

import (
	"context"
	"sync"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/notification"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/room"
	corerooms "github.com/dragoman-im/dragoman/core/rooms"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/puppets"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Rooms is what all rooms of a gateway share.
type Rooms struct {
	Index *Index

	env      *gateway.Env
	address  convert.Addresses
	store    *tables.Store
	logins   *logins.Registry
	people   *puppets.Directory
	presence *puppets.Presence
	roster   *puppets.Roster
	service  *corerooms.Service
	endpoint corerooms.Endpoint
	callees

	remembered remembered

	mu   sync.Mutex
	open map[jid.JID]*Room // conversations in memory, by the address of the room
}

// callees are called for what the rooms do not do themselves.
type callees struct {
	direct Direct
	notify func(context.Context, notification.Message) // nil: nobody is notified
	// described is called where the row of a conversation was changed by others than its goroutine. It does not block.
	described func(room int64)
}

// remembered is what is kept in memory about accounts and logins.
type remembered struct {
	nicks     nicks
	confirmed confirmations
}

// Options is what Rooms is made of.
type Options struct {
	Env      *gateway.Env
	Store    *tables.Store
	Logins   *logins.Registry
	People   *puppets.Directory
	Presence *puppets.Presence
	Roster   *puppets.Roster
	Endpoint corerooms.Endpoint
	Notify   func(context.Context, notification.Message)
}

// New makes the rooms of a gateway.
func New(o Options) *Rooms {
	return &Rooms{
		Index: NewIndex(o.Store), env: o.Env, address: convert.Addresses{Domain: o.Env.Domain}, store: o.Store, logins: o.Logins,
		people: o.People, presence: o.Presence, roster: o.Roster, endpoint: o.Endpoint, callees: callees{notify: o.Notify}, open: map[jid.JID]*Room{},
	}
}

// Direct sends messages to people.
type Direct interface {
	// SendDirect sends a message by a login; the error is for its sender.
	SendDirect(ctx context.Context, l *logins.Login, to transports.UserID, st *stanza.Stanza) error
}

// Connect gives the parts that are built on this one.
func (r *Rooms) Connect(b Backfill, d Direct, described func(room int64)) {
	r.Index.Connect(b)
	r.direct, r.described = d, described
}

// Start makes the service that opens rooms, until ctx ends.
func (r *Rooms) Start(ctx context.Context) {
	r.service = corerooms.New(ctx, corerooms.Options{
		Domain: r.env.Domain, Policy: policy{r}, Endpoint: r.endpoint, Secret: r.address.Secret(), Now: r.env.Now, Log: r.env.Log,
	})
}

// Stop ends the service, after the conversations were stopped.
func (r *Rooms) Stop() {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	r.service.Stop(ended)
}

// NickOf returns the nickname with which a user last entered a room, else the localpart of their address. A login
// that sends messages for others sends them under this name.
func (r *Rooms) NickOf(who jid.JID) string { return r.remembered.nicks.of(who) }

// NameOf is the name of a person of the network.
func (r *Rooms) NameOf(ctx context.Context, user transports.UserID) string {
	return convert.DisplayName(r.people.Find(ctx, user, ""))
}

// List are the rooms that a user's logins see, at most limit.
func (r *Rooms) List(ctx context.Context, owner jid.JID, limit int) ([]disco.Item, error) {
	var items []disco.Item
	known := map[jid.JID]bool{}
	for _, l := range r.logins.Of(owner) {
		err := r.each(ctx, l, func(row tables.ListedRoom) bool {
			j, err := r.address.Room(row.Net)
			if row.Direct() || row.Net == "" || err != nil || known[j] {
				return true
			}
			known[j] = true
			items = append(items, disco.Item{JID: j, Name: convert.RoomTitle(row.Room)})
			return len(items) < limit
		})
		if err != nil || len(items) == limit {
			return items, err
		}
	}
	return items, nil
}

// each calls f with the rooms that a login sees, until it returns false.
func (r *Rooms) each(ctx context.Context, l *logins.Login, f func(tables.ListedRoom) bool) error {
	for after := int64(0); ; {
		page, err := r.store.LoginRooms(ctx, l.ID, after, gateway.RoomsPage)
		if err != nil {
			return err
		}
		for _, row := range page {
			if !f(row) {
				return nil
			}
			after = row.ID
		}
		if len(page) < gateway.RoomsPage {
			return nil
		}
	}
}

// Joined are the rooms that a login is in.
func (r *Rooms) Joined(ctx context.Context, l *logins.Login) ([]tables.Room, error) {
	var list []tables.Room
	err := r.each(ctx, l, func(row tables.ListedRoom) bool {
		if row.Visible.Joined {
			list = append(list, row.Room)
		}
		return true
	})
	return list, err
}

// Seen are the rows of all rooms that a login sees.
func (r *Rooms) Seen(ctx context.Context, l *logins.Login) ([]int64, error) {
	var list []int64
	err := r.each(ctx, l, func(row tables.ListedRoom) bool {
		list = append(list, row.ID)
		return true
	})
	return list, err
}

func (r *Rooms) opened(x *Room) {
	if j, err := r.address.Room(x.conv.Row.Net); err == nil {
		x.jid = j
		r.mu.Lock()
		r.open[j] = x
		r.mu.Unlock()
	}
}

func (r *Rooms) closed(x *Room) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open[x.jid] == x {
		delete(r.open, x.jid)
	}
}

// at is the room of an address whose conversation is in memory, or nil.
func (r *Rooms) at(j jid.JID) *Room {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.open[j]
}

// policy decides for core/room which rooms there are and who sees them.
type policy struct{ rooms *Rooms }

// Open implements rooms.Policy.
func (p policy) Open(ctx context.Context, at jid.JID, _ *room.Snapshot) (corerooms.Opened, error) {
	r := p.rooms.at(at)
	if r == nil {
		return corerooms.Opened{}, corerooms.ErrNoRoom
	}
	return r.open(ctx), nil
}

// Create implements rooms.Policy: rooms are made on the network.
func (p policy) Create(context.Context, jid.JID, jid.JID) (room.Snapshot, error) {
	return room.Snapshot{}, stanza.RegistrationRequired("Your account on " + p.rooms.env.Info.Name + " does not see this room. Please join it there.")
}

// Sees implements rooms.Policy.
func (p policy) Sees(ctx context.Context, who jid.JID, engine *room.Room) (bool, error) {
	r := p.rooms.at(engine.JID())
	if r == nil {
		return false, nil
	}
	l, _ := r.loginOf(ctx, who)
	return l != nil, nil
}

// List implements rooms.Policy.
func (p policy) List(ctx context.Context, who jid.JID, page paging.Request) ([]disco.Item, paging.Answer, error) {
	items, err := p.rooms.List(ctx, who, p.rooms.env.Settings.Rooms)
	if err != nil {
		return nil, paging.Answer{}, err
	}
	return paging.List(items, func(i disco.Item) string { return i.JID.String() }, page)
}

// userOf is who a login is on the network, as others see them.
func (r *Rooms) userOf(ctx context.Context, l *logins.Login) transports.UserInfo {
	return r.people.Find(ctx, l.User, l.Name())
}
