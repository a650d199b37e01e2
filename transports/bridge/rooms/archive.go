package rooms

import (
	"context"
	"errors"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/history"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
)

// roomArchive has the features of the rooms' archives.
var roomArchive = archive.New(archive.Options{Search: true})

// archived is the archive of a room, as the room reads it.
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
		if st := convert.Archived(r.jid, row); st != nil && !convert.Removed(row.Payload) {
			entries = append(entries, history.Entry{Stanza: st, At: row.At})
		}
	}
	return entries, nil
}

// stored is the archive of a room as the archive engine reads it, in any goroutine.
type stored struct {
	rooms  *Rooms
	room   jid.JID
	number int64
}

// answer answers a query (XEP-0313).
func (s stored) answer(ctx context.Context, st *stanza.Stanza) {
	engine := archive.New(archive.Options{Store: s, Search: true})
	x, err := engine.Handle(ctx, archive.Request{Archive: s.room, IQ: st, Room: true}, s.rooms.env.Send)
	if err == nil {
		s.rooms.env.Send(st.Result(x))
		return
	}
	var e *stanza.Error
	if !errors.As(err, &e) {
		s.rooms.env.Log.Error("query of a room's archive failed", "room", s.room.String(), "error", err)
		e = stanza.FromError(err)
	}
	if reply := st.ErrorReply(e); reply != nil {
		s.rooms.env.Send(reply)
	}
}

// Query implements archive.Store.
func (s stored) Query(ctx context.Context, _ jid.JID, f archive.Filter, p archive.Page) (archive.Result, error) {
	return s.rooms.queryArchive(ctx, s.room, s.number, f, p)
}

// Ends implements archive.Store.
func (s stored) Ends(ctx context.Context, _ jid.JID) (first, last archive.Mark, err error) {
	return s.rooms.archiveEnds(ctx, s.number)
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
