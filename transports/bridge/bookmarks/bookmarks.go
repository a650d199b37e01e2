package bookmarks

import (
	"context"
	"sync"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/puppets"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

const (
	maxAtOnce  = 8  // logins whose bookmarks are changed at the same time
	maxInvited = 10 // rooms that an owner is invited to at once; of more at a time no invitations are sent
)

// Store keeps what was done.
type Store interface {
	Bookmarks(ctx context.Context, login transports.LoginID) ([]tables.Bookmark, error)
	PutBookmark(ctx context.Context, b tables.Bookmark) error
	DropBookmark(ctx context.Context, login transports.LoginID, room int64) error
}

// Rooms knows the rooms of logins.
type Rooms interface {
	Joined(ctx context.Context, l *logins.Login) ([]tables.Room, error)
}

// Bookmarks keeps the bookmarks of owners in step with the rooms of their logins.
type Bookmarks struct {
	env     *gateway.Env
	address convert.Addresses
	store   Store
	roster  *puppets.Roster
	logins  *logins.Registry
	rooms   Rooms
	slots   chan struct{}

	mu      sync.Mutex
	running map[transports.LoginID]bool // true: once more
	noted   map[transports.LoginID]bool // of logins whose rooms the network has listed: whether they were noted since
}

// New makes the Bookmarks of a gateway.
func New(env *gateway.Env, store Store, roster *puppets.Roster, registry *logins.Registry, rooms Rooms) *Bookmarks {
	b := &Bookmarks{
		env: env, address: convert.Addresses{Domain: env.Domain}, store: store, roster: roster, logins: registry, rooms: rooms,
		slots: make(chan struct{}, maxAtOnce), running: map[transports.LoginID]bool{}, noted: map[transports.LoginID]bool{},
	}
	roster.OnNodes = b.Changed
	return b
}

// Listed is called when the network has listed all rooms of a login.
func (b *Bookmarks) Listed(l *logins.Login) {
	b.mu.Lock()
	if _, listed := b.noted[l.ID]; !listed {
		b.noted[l.ID] = false
	}
	b.mu.Unlock()
	b.Changed(l)
}

// listed reports whether the network has listed all rooms of a login.
func (b *Bookmarks) listed(id transports.LoginID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, listed := b.noted[id]
	return listed
}

// Changed is called whenever a login may have come to a room or left one, or a room may have got another name.
func (b *Bookmarks) Changed(l *logins.Login) {
	if b.env.Settings.Bookmarks < 0 || !b.begin(l.ID) {
		return
	}
	started := b.env.Group.Go(func(ctx context.Context) {
		defer b.stop(l.ID)
		select {
		case b.slots <- struct{}{}:
			defer func() { <-b.slots }()
		case <-ctx.Done():
			return
		}
		for again := true; again; again = b.again(l.ID) && ctx.Err() == nil {
			b.compare(ctx, l)
		}
	})
	if !started {
		b.stop(l.ID)
	}
}

// begin reports whether nobody compares the rooms of a login yet; whoever does is to do it once more.
func (b *Bookmarks) begin(id transports.LoginID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, running := b.running[id]
	b.running[id] = running
	return !running
}

// again reports whether the rooms of a login are to be compared once more.
func (b *Bookmarks) again(id transports.LoginID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	again := b.running[id]
	if again {
		b.running[id] = false
	} else {
		delete(b.running, id)
	}
	return again
}

// stop ends what begin began, also after a panic.
func (b *Bookmarks) stop(id transports.LoginID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.running, id)
}

// compare brings the bookmarks of a login's owner in step with its rooms.
func (b *Bookmarks) compare(ctx context.Context, l *logins.Login) {
	d, err := b.differences(ctx, l)
	switch {
	case err != nil:
	case b.roster.Privileges.Of(l.Owner.Domain()).Nodes:
		err = b.publish(ctx, l, d)
	default:
		err = b.invite(ctx, l, d)
	}
	if err != nil && ctx.Err() == nil {
		b.env.Log.Warn("the bookmarks of an owner are not in step with the rooms of a login", "login", l.ID, "err", err)
	}
}

// differences are what is to be changed.
type differences struct {
	known   map[int64]tables.Bookmark // of all rooms that were noted, by room
	missing []tables.Room             // have no bookmark
	renamed []tables.Room             // have one with another name
	gone    []tables.Bookmark         // of rooms that the login has left
}

func (b *Bookmarks) differences(ctx context.Context, l *logins.Login) (d differences, err error) {
	if _, status, _ := l.State(); status == tables.StatusUnlinking {
		return d, nil
	}
	rooms, err := b.rooms.Joined(ctx, l)
	if err != nil {
		return d, err
	}
	rows, err := b.store.Bookmarks(ctx, l.ID)
	if err != nil {
		return d, err
	}
	d.known = map[int64]tables.Bookmark{}
	for _, row := range rows {
		d.known[row.Room] = row
	}
	in := map[int64]bool{}
	for _, r := range rooms {
		if r.Direct() || r.Net == "" || len(in) == b.env.Settings.Bookmarks {
			continue
		}
		in[r.ID] = true
		switch row, ok := d.known[r.ID]; {
		case !ok || row.State == tables.NoBookmark:
			d.missing = append(d.missing, r)
		case row.Name != convert.RoomTitle(r):
			d.renamed = append(d.renamed, r)
		}
	}
	for _, row := range rows {
		if !in[row.Room] {
			d.gone = append(d.gone, row)
		}
	}
	return d, nil
}
