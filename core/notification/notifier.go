package notification

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/mailbox"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Bounds of what is kept in memory.
const (
	maxRooms = 10_000
	maxJobs  = 100 // messages of one room whose accounts are still to be notified
)

// A room with many members is not read again only because accounts can be notified that could not before, unless it was read long ago.
const (
	manyMembers = 500
	rereadAfter = 10 * time.Second
)

// Store reads who can be notified: accounts with a push service.
type Store interface {
	// RoomBookmarks returns the bookmarks of a room that accounts have which can be notified, at most limit.
	RoomBookmarks(ctx context.Context, room jid.JID, limit int) (map[jid.JID]Bookmark, error)
	// Notifiable returns those of some accounts which can be notified.
	Notifiable(ctx context.Context, accounts []jid.JID) ([]jid.JID, error)
}

// Options are the parameters of New. Store and Notify are required.
type Options struct {
	Store Store
	// Notify notifies those clients of an account of a message that want it. Errors are its own affair.
	Notify func(ctx context.Context, account jid.JID, st *stanza.Stanza, wanted Wanted)
	// Default is the setting of rooms for which an account has set nothing; "" is always for rooms that not everybody may enter and
	// on-mention for others (XEP-0492 §3).
	Default  Setting
	Accounts int // that are notified of one message, at most
	Log      *slog.Logger
	Now      func() time.Time // nil is time.Now
}

// Notifier notifies accounts of the messages of rooms. Its methods may be called by any goroutine.
type Notifier struct {
	Options
	jobs *mailbox.Group[jid.JID, struct{}]

	enabled atomic.Uint64 // calls of Enabled
	changes atomic.Uint64 // calls of Bookmarked and Enabled

	mu    sync.Mutex
	rooms map[jid.JID]*watched

	// Crowded counts the rooms that have more accounts than are notified, Late the messages of which nobody was notified because too many
	// were waiting.
	Crowded, Late atomic.Uint64
}

// watched is a room with those who may have to be notified of its messages.
type watched struct {
	version, enabled uint64
	read             time.Time
	members          int // that were looked at
	public           bool
	list             []watcher
	of               map[jid.JID]Member // of list, by account
}

// watcher is one of them.
type watcher struct {
	Member
	bookmark Bookmark
}

// receiver is an account that is notified.
type receiver struct {
	account jid.JID
	wanted  Wanted
}

// New returns a Notifier. Call Stop in the end.
func New(o Options) *Notifier {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Notifier{Options: o, rooms: map[jid.JID]*watched{}, jobs: mailbox.New(context.Background(), mailbox.Options[jid.JID, struct{}]{
		New: func(jid.JID) (none struct{}) { return none }, Limit: maxJobs, Name: "room with accounts to be notified", Log: o.Log,
	})}
}

// Stop notifies those that wait until ctx ends.
func (n *Notifier) Stop(ctx context.Context) { n.jobs.Stop(ctx) }

// Bookmarked is called when an account has changed its bookmark of a room.
func (n *Notifier) Bookmarked(room jid.JID) {
	n.changes.Add(1)
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.rooms, room)
}

// Enabled is called when an account can be notified that could not before, and when it has removed many bookmarks.
func (n *Notifier) Enabled() {
	n.changes.Add(1)
	n.enabled.Add(1)
}

// Room notifies those who are to be notified of a message. A room calls it in its own goroutine.
func (n *Notifier) Room(ctx context.Context, m Message) {
	if !Notable(m.Stanza) {
		return
	}
	w, err := n.watched(ctx, m)
	if err != nil {
		n.Log.Error("who is to be notified of a room's messages is not known", "room", m.Room, "err", err)
		return
	}
	if len(w.list) == 0 {
		return
	}
	list := n.wanting(w, m)
	if len(list) == 0 {
		return
	}
	st := m.Stanza
	err = n.jobs.Enqueue(m.Room, func(ctx context.Context, _ struct{}) {
		for _, to := range list {
			if ctx.Err() != nil {
				return
			}
			n.Notify(ctx, to.account, st, to.wanted)
		}
	})
	if err != nil {
		n.Late.Add(1)
	}
}

// wanting returns the accounts that want to be notified of a message.
func (n *Notifier) wanting(w *watched, m Message) (list []receiver) {
	var named *mentions
	sender, usual := occupantID(m.Stanza), n.usual(m.Public)
	for i := range w.list {
		o := &w.list[i]
		if o.Account == m.Sender || sender != "" && o.OccupantID == sender {
			continue
		}
		wanted := o.bookmark.wanted(usual, func() bool {
			if named == nil {
				named = readMentions(m.Room, m.Stanza)
			}
			return named.of(o.Member)
		})
		if wanted.Some() {
			list = append(list, receiver{o.Account, wanted})
		}
	}
	return list
}

// usual returns the setting of rooms for which an account has set nothing.
func (n *Notifier) usual(public bool) Setting {
	switch {
	case n.Default != "":
		return n.Default
	case public:
		return OnMention
	}
	return Always
}

// Wants returns which clients of an account want to be notified of a message that a room, of any server, has sent to a session of it. b is its
// bookmark of the room, the zero value if it has none; nick is the one that the session has in the room.
func (n *Notifier) Wants(account jid.JID, b Bookmark, nick string, st *stanza.Stanza) Wanted {
	room := st.From.Bare()
	if !Notable(st) || st.From.Resource() == "" || st.From.Resource() == nick {
		return Wanted{}
	}
	who, public := Member{Account: account, Nick: cmp.Or(nick, b.Nick, account.Local())}, true
	n.mu.Lock()
	w := n.rooms[room]
	n.mu.Unlock()
	if w != nil {
		public = w.public
		if o, ok := w.of[account]; ok {
			who.OccupantID, who.Affiliation = o.OccupantID, o.Affiliation
		}
	}
	return b.wanted(n.usual(public), func() bool { return readMentions(room, st).of(who) })
}
