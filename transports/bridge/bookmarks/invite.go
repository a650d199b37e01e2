package bookmarks

import (
	"context"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// invite invites the owner of a login to rooms that it has come to (XEP-0249), where there cannot be bookmarks of them. Rooms that it was
// in when it was linked are not new, nor are so many at once that nobody could enter them one by one.
func (b *Bookmarks) invite(ctx context.Context, l *logins.Login, d differences) error {
	for _, row := range d.gone {
		if row.State == tables.NoBookmark { // to be invited again on return
			if err := b.store.DropBookmark(ctx, l.ID, row.Room); err != nil {
				return err
			}
		}
	}
	b.mu.Lock()
	noted, listed := b.noted[l.ID]
	if listed {
		b.noted[l.ID] = true
	}
	b.mu.Unlock()
	if !listed {
		return nil // it is not known yet which rooms are new
	}
	var fresh []tables.Room
	for _, r := range d.missing {
		if _, known := d.known[r.ID]; !known {
			fresh = append(fresh, r)
		}
	}
	for _, r := range fresh {
		if err := b.store.PutBookmark(ctx, tables.Bookmark{Login: l.ID, Room: r.ID, Name: convert.RoomTitle(r)}); err != nil {
			return err
		}
		if address, err := b.address.Room(r.Net); err == nil && (noted || len(d.known) > 0) && len(fresh) <= maxInvited {
			x := stanza.NewElement(convert.NSConference, "x").With("jid", address.String()).With("reason", b.env.Info.Name+": "+convert.RoomTitle(r))
			b.env.Send(stanza.NewMessage(l.Owner, b.env.Domain, "", x))
		}
	}
	return nil
}
