package conference

import (
	"context"
	"errors"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/fairqueue"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Limits of the queries of archives, of all rooms together.
const (
	archiveReaders = 4    // that run at the same time for accounts of this server
	foreignReaders = 2    // that run at the same time for others
	maxQueries     = 100  // of one address that wait: a client asks many rooms when it starts
	maxAllQueries  = 2000 // of all accounts of this server, or of all others, that wait
)

// queries are those of archives, by the bare JID of who asks. Other servers can make up as many addresses as they like: accounts of this
// server do not wait for them.
type queries struct{ local, foreign *fairqueue.Queue[jid.JID] }

func (s *Service) newQueries(ctx context.Context, readers int) *fairqueue.Queue[jid.JID] {
	return fairqueue.New[jid.JID](context.WithoutCancel(ctx), fairqueue.Options{
		AtOnce: readers, PerKey: maxQueries, Total: maxAllQueries, Log: s.Log,
		Rate: func() int { return s.settings.Load().ArchiveQueries },
	})
}

// readArchive has a query of the archive (XEP-0313) answered outside of the room's goroutine: a search may read many messages, and those
// who talk must not wait for it. Whoever asks has one query at a time, and the others in turn.
func (o *owner) readArchive(r *room.Room, q room.Query) error {
	who := q.Stanza.From.Bare()
	if q.From == nil && !mayRead(r, who) {
		return stanza.Forbidden("You may not read what was said in this room.") // XEP-0313 §6.1
	}
	service, st := o.service, q.Stanza
	store := reader{service.Archives, r.JID(), o.archive}
	queue := service.queries.foreign
	if service.Local(who) {
		queue = service.queries.local
	}
	err := queue.Enqueue(who, func(ctx context.Context) { service.answerQuery(ctx, store, st) })
	switch {
	case err == nil:
		return room.ErrHandled
	case errors.Is(err, fairqueue.ErrRate):
		service.Counters.Queries.Add(1)
		e := stanza.PolicyViolation("You ask the archives too often. Please wait a little.")
		e.Type = "wait"
		return e
	case errors.Is(err, fairqueue.ErrFull):
		return stanza.ResourceConstraint("Too many queries of archives are waiting.")
	}
	return stanza.ServiceUnavailable("")
}

// answerQuery sends the results of a query and the answer to it.
func (s *Service) answerQuery(ctx context.Context, store reader, st *stanza.Stanza) {
	send, flush := s.Endpoint.Collect()
	defer flush()
	var err error = stanza.InternalServerError() // unless the following panics
	var answer *stanza.Element
	defer func() {
		var e *stanza.Error
		switch {
		case err == nil:
			send(st.Result(answer))
			return
		case !errors.As(err, &e):
			s.Log.Error("query of a room's archive failed", "room", store.at.String(), "error", err)
			e = stanza.FromError(err)
		}
		if reply := st.ErrorReply(e); reply != nil {
			send(reply)
		}
	}()
	engine := archive.New(archive.Options{Store: store, Search: true})
	answer, err = engine.Handle(ctx, archive.Request{Archive: store.at, IQ: st, Room: true}, send)
}
