package push

import (
	"context"
	"hash/maphash"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/notification"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// maxBookmarks is how many bookmarks of an account are looked at, the newest ones.
const maxBookmarks = 1000

// Bookmarks reads the rooms that an account has bookmarked.
type Bookmarks interface {
	AccountBookmarks(ctx context.Context, account jid.JID, limit int) (map[jid.JID]notification.Bookmark, error)
}

// Rooms decides who is notified of the messages of rooms. notification.Notifier implements it.
type Rooms interface {
	Wants(account jid.JID, b notification.Bookmark, nick string, st *stanza.Stanza) notification.Wanted
	Bookmarked(room jid.JID)
	Enabled()
}

// bookmarked are the bookmarks of an account.
type bookmarked struct {
	rooms map[jid.JID]notification.Bookmark
}

// recent are the last messages of rooms of which an account was notified: several of its sessions may be in a room.
type recent struct {
	keys [16]uint64
	next int
}

var seed = maphash.MakeSeed()

// add notes a message, and returns false if it was noted before.
func (r *recent) add(st *stanza.Stanza) bool {
	key := maphash.String(seed, notification.Key(st))
	if slices.Contains(r.keys[:], key) {
		return false
	}
	r.keys[r.next%len(r.keys)] = key
	r.next++
	return true
}

// inRoom handles a message of a room to a session that nobody is using.
func (p *Push) inRoom(ctx context.Context, to *router.Bound, st *stanza.Stanza, route func(*stanza.Stanza)) {
	a := to.Account()
	if inUse(a) {
		return
	}
	s := p.servicesOf(ctx, a)
	if s == nil {
		return
	}
	b, err := p.bookmarks.Get(ctx, a)
	if err != nil {
		p.Log.Warn("bookmarks not read", "account", a.JID(), "err", err)
		return
	}
	room := st.From.Bare()
	wanted := p.Rooms.Wants(a.JID(), b.rooms[room], to.NickIn(room), st)
	p.notifyOnce(ctx, s, a, message{st, route, &wanted})
}

// Room notifies those push services of an account of a room's message whose clients want it. The account may not be in the room. It may wait for
// the database.
func (p *Push) Room(ctx context.Context, account jid.JID, st *stanza.Stanza, wanted notification.Wanted) {
	at, err := p.host.Acquire(ctx, account)
	if err != nil || at.Account == nil || inUse(at.Account) {
		return
	}
	s := p.servicesOf(ctx, at.Account)
	if s == nil {
		return
	}
	for _, sender := range []jid.JID{st.From, st.From.Bare()} { // XEP-0191 §3.4
		if blocked, err := p.Blocks(ctx, at.Account, sender); blocked || err != nil {
			return
		}
	}
	p.notifyOnce(ctx, s, at.Account, message{st, p.host.Router().Route, &wanted})
}

// notifyOnce is notifyAll, but only for the first time for each message.
func (p *Push) notifyOnce(ctx context.Context, s *services, a *router.Account, m message) {
	if !slices.ContainsFunc(s.list, m.wantedBy) {
		return
	}
	s.mu.Lock()
	first := s.recent.add(m.Stanza)
	s.mu.Unlock()
	if first {
		p.notifyAll(ctx, s, a, m)
	}
}

// inUse reports whether an account has an active session.
func inUse(a *router.Account) bool {
	return slices.ContainsFunc(a.Sessions(), func(b *router.Bound) bool { return b.Reach() == router.Active })
}

// Bookmarked is called when an account has changed its bookmark of a room; of all of them if room is zero.
func (p *Push) Bookmarked(account, room jid.JID) {
	p.bookmarks.Invalidate(p.host.Local(account))
	if room.IsZero() {
		p.Rooms.Enabled()
		return
	}
	p.Rooms.Bookmarked(room)
}

// loadBookmarks reads the bookmarks of an account.
func (p *Push) loadBookmarks(ctx context.Context, a *router.Account) (*bookmarked, error) {
	list, err := p.AccountBookmarks(ctx, a.JID(), maxBookmarks)
	if err != nil {
		return nil, err
	}
	return &bookmarked{list}, nil
}
