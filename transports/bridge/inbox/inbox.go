package inbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/conversation"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/rooms"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// errFull refuses an event of a room where too many events wait. The network sends it again: no events are buffered
// besides those that are stored.
var errFull = transports.Later(time.Second, errors.New("too many events wait in this room"))

// Inbox stores events.
type Inbox struct {
	env           *gateway.Env
	index         *rooms.Index
	conversations *conversation.Set
	store         *tables.Store
	writer        *writer
	dedup         dedup
	echoes        Echoes
}

// Echoes recognises messages that are those of our own calls.
type Echoes interface {
	// IsEcho reports whether an event is one; then Echo has to be called once all events before it are durable.
	IsEcho(conversation int64, login transports.LoginID, e transports.Event) bool
	Echo(e transports.Event)
}

// New makes the inbox of a gateway.
func New(env *gateway.Env, store *tables.Store, index *rooms.Index, conversations *conversation.Set, echoes Echoes) *Inbox {
	return &Inbox{
		env: env, index: index, conversations: conversations, store: store, writer: newWriter(env, store), echoes: echoes,
	}
}

// Deliver stores an event and returns when it is durable.
func (i *Inbox) Deliver(ctx context.Context, l *logins.Login, e transports.Event) error {
	done := make(chan error, 1)
	i.post(ctx, l, e, never, func(err error) { done <- err })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err() // it may be stored all the same; its key keeps it from coming twice
	}
}

// post is Deliver without the wait. late is called when the event is about to be queued for the writer; if it returns
// true, the event is refused with errLate.
func (i *Inbox) post(ctx context.Context, l *logins.Login, e transports.Event, late func() bool, done func(error)) {
	room, err := i.index.Locate(ctx, l, e)
	if err != nil {
		done(err)
		return
	}
	if i.echoes.IsEcho(room, l.ID, e) {
		i.writer.put(nil, late, func(_ []bool, err error) { // behind all events before it
			if err == nil {
				i.echoes.Echo(e)
			}
			done(err)
		})
		return
	}
	id := eventID{room, e.Key}
	if stored, pending := i.dedup.look(id, done); stored || pending {
		i.env.Counters.Duplicates.Add(1)
		if stored {
			done(nil)
		}
		return
	}
	row, err := i.row(l, room, e, true)
	if err != nil {
		done(err)
		return
	}
	var first *pendingEvent
	i.write([]tables.Event{row}, func() bool {
		if late() {
			return true
		}
		first = i.dedup.begin(id)
		return false
	}, func(err error) {
		defer i.dedup.end(first, err)
		done(err)
	})
}

// never is the late of events that nothing can precede.
func never() bool { return false }

// backfill stores a page of history and returns when it is durable.
func (i *Inbox) backfill(ctx context.Context, l *logins.Login, events []transports.Event) error {
	if len(events) == 0 {
		return nil
	}
	rows := make([]tables.Event, 0, len(events))
	for _, e := range events {
		var row tables.Event
		room, err := i.index.Locate(ctx, l, e)
		if err == nil {
			row, err = i.row(l, room, e, false)
		}
		if err != nil {
			for _, r := range rows {
				i.conversations.Dropped(r, false)
			}
			return err
		}
		rows = append(rows, row)
	}
	done := make(chan error, 1)
	i.write(rows, never, func(err error) { done <- err })
	return <-done
}

// row makes an event's row, which takes its place in the order of its conversation.
func (i *Inbox) row(l *logins.Login, room int64, e transports.Event, live bool) (tables.Event, error) {
	data, err := encode(e)
	if err != nil {
		return tables.Event{}, transports.Refuse("bad-request", "the event cannot be stored", err)
	}
	row := tables.Event{Room: room, Login: l.ID, Key: e.Key, Kind: transports.BodyKind(e.Body), Data: data, At: i.env.Now()}
	if !i.conversations.Admit(l, &row, live) {
		return tables.Event{}, errFull
	}
	return row, nil
}

// write writes rows and wakes their conversations; done is called when they are durable.
func (i *Inbox) write(rows []tables.Event, late func() bool, done func(error)) {
	epoch := i.dedup.currentEpoch()
	i.writer.put(rows, late, func(added []bool, err error) {
		if err != nil {
			err = transports.Later(time.Second, fmt.Errorf("store event: %w", err))
		} else {
			i.dedup.add(epoch, rows)
		}
		for n, r := range rows {
			switch {
			case err != nil:
				i.conversations.Dropped(r, false)
			case added[n]:
				i.env.Counters.Events.Add(1)
			default:
				i.conversations.Dropped(r, r.Priority == tables.PriorityNow)
				i.env.Counters.Duplicates.Add(1)
			}
		}
		if err == nil {
			i.env.Trace("kept")
		}
		done(err)
		for n, r := range rows {
			if err == nil && added[n] {
				i.conversations.Stored(r)
			} else { // its room may have been full
				i.conversations.Wake(r.Room, conversation.Inbox)
			}
		}
	})
}

// Forget forgets what is known of events, when rooms are removed.
func (i *Inbox) Forget() {
	i.dedup.forget()
	i.conversations.ForgetEvents()
}

const maxFailed = 100 // events of one answer

// Failed are events that were put aside, the oldest first.
func (i *Inbox) Failed(ctx context.Context) ([]tables.Event, error) {
	return i.store.FailedEvents(ctx, maxFailed)
}

// Replay tries events again that were put aside, and returns how many.
func (i *Inbox) Replay(ctx context.Context) (int, error) {
	failed, err := i.Failed(ctx)
	if err != nil {
		return 0, err
	}
	seqs := make([]int64, len(failed))
	for n, e := range failed {
		seqs[n] = e.Seq
	}
	list, err := i.store.Replay(ctx, seqs)
	if err != nil {
		return 0, err
	}
	for _, room := range list {
		i.conversations.Reread(room)
	}
	return len(failed), nil
}
