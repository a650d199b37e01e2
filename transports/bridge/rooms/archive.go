package rooms

import (
	"context"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"

	"github.com/dragoman-im/dragoman/core/room/history"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
)

// roomArchive has the features of the rooms' archives.
var roomArchive = archive.New(archive.Options{Search: true})

// archived is the archive of a room, as the room and as the archive engine read it.
type archived struct{ room *Room }

// History implements room.History.
func (a archived) History(ctx context.Context, q history.Query) ([]history.Entry, error) {
	r := a.room
	page, err := r.rooms.store.ReadArchive(ctx, r.conv.ID, archive.Filter{Start: q.Since}, archive.Page{Max: q.Max, Backwards: true})
	if err != nil {
		return nil, err
	}
	entries := make([]history.Entry, 0, len(page.Rows))
	for _, row := range page.Rows {
		if st := convert.Archived(r.jid, row); st != nil {
			entries = append(entries, history.Entry{Stanza: st, At: row.At})
		}
	}
	return entries, nil
}

// Query implements archive.Store.
func (a archived) Query(ctx context.Context, _ jid.JID, f archive.Filter, p archive.Page) (archive.Result, error) {
	return a.room.rooms.queryArchive(ctx, a.room.jid, a.room.conv.ID, f, p)
}

// Ends implements archive.Store.
func (a archived) Ends(ctx context.Context, _ jid.JID) (first, last archive.Mark, err error) {
	return a.room.rooms.archiveEnds(ctx, a.room.conv.ID)
}

// queryArchive reads a page of the archive of a room, whose number is that of its row.
func (r *Rooms) queryArchive(ctx context.Context, room jid.JID, number int64, f archive.Filter, p archive.Page) (archive.Result, error) {
	page, err := r.store.ReadArchive(ctx, number, f, p)
	if err != nil {
		return archive.Result{}, err
	}
	result := archive.Result{Complete: page.Complete, Reached: page.Reached, Count: page.Count, Index: page.Index}
	for _, row := range page.Rows {
		result.Entries = append(result.Entries, archive.Entry{ID: row.ID, At: row.At, Stanza: convert.Archived(room, row)})
	}
	return result, nil
}

// archiveEnds reads the first and the last entry.
func (r *Rooms) archiveEnds(ctx context.Context, number int64) (first, last archive.Mark, err error) {
	for _, end := range []struct {
		mark      *archive.Mark
		backwards bool
	}{{&first, false}, {&last, true}} {
		page, err := r.store.ReadArchive(ctx, number, archive.Filter{}, archive.Page{Max: 1, Backwards: end.backwards})
		if err != nil {
			return first, last, err
		}
		if len(page.Rows) > 0 {
			*end.mark = archive.Mark{ID: page.Rows[0].ID, At: page.Rows[0].At}
		}
	}
	return first, last, nil
}
