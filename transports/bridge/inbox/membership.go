package inbox

import (
	"context"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Doubted is called where a login that was in a private room may have left it unnoticed, while its client was not
// open. The network is asked: others' logins bring events to the room, which this login must not see then.
func (b *Backfill) Doubted(ctx context.Context, l *logins.Login, r tables.Room) {
	client := l.Client()
	if client == nil || r.Kind != transports.Private || r.Net == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, gateway.LookupTimeout)
	defer cancel()
	info, err := client.Room(ctx, r.Net)
	switch {
	case err == nil && (info.Joined || info.ID != r.Net):
		return
	case err != nil && transports.ClassOf(err) != transports.Refused:
		b.env.Log.Debug("asking whether a login is still in a room", "login", l.ID, "room", r.Net, "error", err)
		return
	}
	gone := transports.Event{Key: "gone " + stanza.NewID(), Room: r.Net, Kind: r.Kind, At: b.env.Now(), Body: transports.RoomGone{}}
	if err := b.inbox.Deliver(ctx, l, gone); err != nil {
		b.env.Log.Warn("a login is no longer in a room, which could not be stored", "login", l.ID, "room", r.Net, "error", err)
	}
}
