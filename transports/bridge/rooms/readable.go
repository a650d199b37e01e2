package rooms

import (
	"context"
	"sync"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Readable implements archive.Rooms: the rooms in which a login of the account is. A private room is not among them while its
// login has to be linked again.
func (r *Rooms) Readable(ctx context.Context, account, only jid.JID, limit int) ([]archive.Readable, error) {
	var list []archive.Readable
	known := map[int64]bool{}
	for _, l := range r.logins.Of(account) {
		err := r.each(ctx, l, func(row tables.ListedRoom) bool {
			address, err := r.address.Room(row.Net)
			if row.Direct() || row.Net == "" || err != nil || known[row.ID] || !may(l, row.Room, row.Visible) || !only.IsZero() && address != only {
				return true
			}
			known[row.ID] = true
			seen := &searched{rooms: r, login: l, row: row.Room, jid: address}
			list = append(list, archive.Readable{JID: address, Name: convert.RoomTitle(row.Room), Store: seen, Confirm: seen.confirm})
			return len(list) < limit
		})
		if err != nil || len(list) >= limit {
			return list, err
		}
	}
	return list, nil
}

// may reports whether the owner of a login may read a room, as far as is known.
func may(l *logins.Login, row tables.Room, seen tables.Visibility) bool {
	return seen.Joined && (row.Kind != transports.Private || l.Linked())
}

// searched is the archive of a room for a search. The conversation is not loaded for that.
type searched struct {
	rooms *Rooms
	login *logins.Login
	row   tables.Room
	jid   jid.JID
}

// Query implements archive.Store.
func (s *searched) Query(ctx context.Context, _ jid.JID, f archive.Filter, p archive.Page) (archive.Result, error) {
	return s.rooms.queryArchive(ctx, s.jid, s.row.ID, f, p)
}

// Ends implements archive.Store.
func (s *searched) Ends(ctx context.Context, _ jid.JID) (first, last archive.Mark, err error) {
	return s.rooms.archiveEnds(ctx, s.row.ID)
}

// confirm checks that the login still sees the room, after it was read. The network is asked about a private room where that was
// not done since events may have been missed, as it is before a session enters.
func (s *searched) confirm(ctx context.Context) error {
	r := s.rooms
	row, ok, err := r.store.RoomByID(ctx, s.row.ID)
	if err != nil {
		return err
	}
	seen, err := r.store.RoomLogins(ctx, s.row.ID)
	if err != nil {
		return err
	}
	for _, v := range seen {
		if !ok || v.Login != s.login.ID || r.logins.ByID(v.Login) != s.login || !may(s.login, row, v) {
			continue
		}
		gaps := s.login.Gaps()
		if row.Kind != transports.Private || r.remembered.confirmed.has(s.login.ID, row.ID, gaps) {
			return nil
		}
		if err := r.confirm(ctx, s.login, row); err != nil {
			return err
		}
		r.remembered.confirmed.put(s.login.ID, row.ID, gaps)
		return nil
	}
	return stanza.Forbidden("You are not in this room on " + r.env.Info.Name + ".")
}

// confirmations are the private rooms in which the network has said, for a search, that a login is.
type confirmations struct {
	mu   sync.Mutex
	gaps map[confirmation]int // Login.Gaps at that time
}

type confirmation struct {
	login transports.LoginID
	room  int64
}

// maxConfirmations bounds the memory.
const maxConfirmations = 100_000

func (c *confirmations) has(l transports.LoginID, room int64, gaps int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.gaps[confirmation{l, room}]
	return ok && at == gaps
}

func (c *confirmations) put(l transports.LoginID, room int64, gaps int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gaps == nil || len(c.gaps) >= maxConfirmations {
		c.gaps = map[confirmation]int{}
	}
	c.gaps[confirmation{l, room}] = gaps
}
