package rooms

import (
	"context"

	"github.com/dragoman-im/dragoman/core/channelsearch"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Limits of searches for public rooms. Stanzas in a second are limited for everything together.
const (
	searchesPerMinute = 30
	searchResults     = 100
)

// Searches returns the searches for public rooms. Those who have a login do not wait for searches of others.
func (r *Rooms) Searches() *channelsearch.Search {
	return channelsearch.New(channelsearch.Options{
		Source: r,
		Limits: func() channelsearch.Limits {
			return channelsearch.Limits{PerMinute: searchesPerMinute, Results: searchResults}
		},
		Local: func(who jid.JID) bool { return len(r.logins.Of(who)) > 0 },
	})
}

// Channels implements channelsearch.Source: the public channels of the workspaces that who has a login for.
func (r *Rooms) Channels(ctx context.Context, who jid.JID, each func(*channelsearch.Channel)) error {
	known := map[int64]bool{}
	for _, l := range r.logins.Of(who) {
		err := r.each(ctx, l, func(row tables.ListedRoom) bool {
			j, err := r.address.Room(row.Net)
			if row.Kind != transports.Public || row.Net == "" || err != nil || known[row.ID] {
				return true
			}
			known[row.ID] = true
			each(&channelsearch.Channel{
				Address: j, Name: convert.RoomTitle(row.Room), Description: row.Topic, Users: row.Members, Open: true, ShowsJIDs: true,
			})
			return true
		})
		if err != nil {
			return err
		}
	}
	return nil
}
