package bridge

import (
	"context"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// roomHistory is a room's archive as the room engine reads it.
type roomHistory struct{ w *worker }

// History implements room.History.
func (h roomHistory) History(ctx context.Context, q room.HistoryQuery) ([]room.Entry, error) {
	page, err := h.w.g.store.ReadArchive(ctx, h.w.id, archive.Filter{Start: q.Since}, archive.Page{Max: q.Max, Backwards: true})
	if err != nil {
		return nil, err
	}
	entries := make([]room.Entry, 0, len(page.Rows))
	for _, r := range page.Rows {
		if st := h.w.archived(r); st != nil {
			entries = append(entries, room.Entry{Stanza: st, At: r.At})
		}
	}
	return entries, nil
}

// archived is a row as the message that it was; nil where it was taken away.
func (w *worker) archived(r tables.Archived) *stanza.Stanza {
	if r.Payload == "" {
		return nil
	}
	j, err := w.g.roomJID(w.row.Net)
	if err != nil {
		return nil
	}
	from := j
	payload := r.Payload
	if r.Nick != "" {
		if from, err = j.WithResource(r.Nick); err != nil {
			from = j
		}
	}
	if r.Occupant != "" {
		payload += stanza.Encode(stanza.NewElement(room.NSOccupantID, "occupant-id").With("id", r.Occupant))
	}
	payload += stanza.Encode(stanza.NewElement(nsStanzaID, "stanza-id").With("id", r.ID).With("by", j.String()))
	return &stanza.Stanza{Kind: stanza.Message, From: from, ID: r.Message, Type: stanza.TypeGroupchat, Lang: r.Lang, Extra: r.Extra, Payload: payload}
}

// queryArchive answers XEP-0313 for those who see the room.
func (w *worker) queryArchive(ctx context.Context, q room.Query) (*stanza.Element, error) {
	engine := archive.New(archive.Options{Store: roomArchive{w}})
	return engine.Handle(ctx, archive.Request{Archive: w.room.JID(), IQ: q.Stanza, Room: true}, w.g.send)
}

// roomArchive is a room's archive as the archive engine reads it.
type roomArchive struct{ w *worker }

// Query implements archive.Store.
func (a roomArchive) Query(ctx context.Context, _ jid.JID, f archive.Filter, p archive.Page) (archive.Result, error) {
	page, err := a.w.g.store.ReadArchive(ctx, a.w.id, f, p)
	if err != nil {
		return archive.Result{}, err
	}
	result := archive.Result{Complete: page.Complete, Count: page.Count, Index: page.Index}
	for _, r := range page.Rows {
		result.Entries = append(result.Entries, archive.Entry{ID: r.ID, At: r.At, Stanza: a.w.archived(r)})
	}
	return result, nil
}

// Ends implements archive.Store.
func (a roomArchive) Ends(ctx context.Context, _ jid.JID) (first, last archive.Mark, err error) {
	for _, end := range []struct {
		mark      *archive.Mark
		backwards bool
	}{{&first, false}, {&last, true}} {
		page, err := a.w.g.store.ReadArchive(ctx, a.w.id, archive.Filter{}, archive.Page{Max: 1, Backwards: end.backwards})
		if err != nil {
			return first, last, err
		}
		if len(page.Rows) > 0 {
			*end.mark = archive.Mark{ID: page.Rows[0].ID, At: page.Rows[0].At}
		}
	}
	return first, last, nil
}
