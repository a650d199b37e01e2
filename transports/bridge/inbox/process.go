package inbox

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/conversation"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/outbox"
	"github.com/dragoman-im/dragoman/transports/bridge/rooms"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

const (
	batchEvents = 64 // of one conversation, processed in one transaction
	maxFailures = 5  // of an event that is stored alone, after which it is put aside
)

// Messages has the events of a conversation and knows the messages of both sides.
type Messages interface {
	// PendingEvents are new events in order.
	PendingEvents(ctx context.Context, room int64, limit int) ([]tables.Event, error)
	// ByNetworkID are the stanzas of a message of the network, the first one first.
	ByNetworkID(ctx context.Context, room int64, net transports.MessageID) ([]tables.Mapping, error)
	// ByStanzaID are the parts of the message that an id of a stanza names.
	ByStanzaID(ctx context.Context, room int64, id, sender string) ([]tables.Mapping, error)
	// Echoes are those of changes of ours to a message that are expected, in the order of the changes.
	Echoes(ctx context.Context, room int64, net transports.MessageID, now time.Time) ([]tables.Echo, error)
	// Reactions are one person's reactions to a message.
	Reactions(ctx context.Context, room int64, net transports.MessageID, user transports.UserID) ([]string, error)
}

// Parts knows the parts of messages.
type Parts interface {
	// Between are the ids of messages between two ids, in order.
	Between(ctx context.Context, room int64, after, before transports.MessageID) ([]transports.MessageID, error)
}

// Reactors knows who has reacted.
type Reactors interface {
	// Reactors are those who have reacted to a message.
	Reactors(ctx context.Context, room int64, net transports.MessageID) ([]transports.UserID, error)
}

// Calls are the calls of the conversation whose events are processed.
type Calls interface {
	// Calling reports whether a call is under way or its outcome unknown.
	Calling() bool
	// Making reports whether that call is of a kind and changes a message, by the id of its stanza.
	Making(kind convert.Kind, target string) bool
	// Echo reports whether an event that a login has brought is the message of such a call.
	Echo(ctx context.Context, login transports.LoginID, e transports.Event) outbox.Outcome
}

// Processor processes the events of one conversation. It belongs to the conversation's goroutine.
type Processor struct {
	*Processing
	conv  *conversation.Conversation
	room  *rooms.Room
	calls Calls

	held        int           // events that wait for a call
	failures    map[int64]int // of events that were stored alone, by number
	fromHistory bool          // the row's last message is from a new room's history
	lookingUp   bool          // people of the next events are being looked up
	lookedUp    bool          // they were looked up, whether or not they were found
	newest      newest
	early       map[transports.MessageID][]transports.UserID // who reacted to messages that have not come yet
}

// Processor makes the processor of a conversation.
func (p *Processing) Processor(c *conversation.Conversation, r *rooms.Room, calls Calls) *Processor {
	return &Processor{Processing: p, conv: c, room: r, calls: calls}
}

// Disposable reports whether nothing has to stay in memory.
func (p *Processor) Disposable() bool { return !p.lookingUp }

// errHeld is returned for an event that has to wait for the outcome of a call.
var errHeld = errors.New("held until a call has ended")

// Work processes events that wait, a batch at a time.
func (p *Processor) Work(ctx context.Context) {
	if p.lookingUp {
		return
	}
	limit := batchEvents + p.held
	rows, err := p.conv.NextEvents(ctx, limit, p.messages.PendingEvents)
	if err != nil {
		if ctx.Err() == nil {
			p.env.Log.Error("reading events", "room", p.conv.Row.Net, "error", err)
			p.conv.Pause(ctx)
			p.conv.Look(conversation.Inbox)
		}
		return
	}
	if !p.conv.MayReceive() {
		p.conv.KeepEvents(rows)
		return // a backfill has begun, and what has come since is perhaps among these; its end wakes us
	}
	steps := p.decode(rows)
	if p.lookUp(ctx, steps) {
		p.conv.KeepEvents(rows)
		return
	}
	done, held, all := p.process(ctx, steps)
	if ctx.Err() != nil {
		return
	}
	p.held = len(held)
	if len(done) > 0 {
		p.env.Trace("worked", slog.String("room", string(p.conv.Row.Net)), slog.Int("events", len(done)))
		p.room.Flush() // a commit takes a while
		if err := p.conv.Commit(ctx, all); err != nil {
			p.conv.Look(conversation.Inbox)
			if ctx.Err() == nil {
				level := slog.LevelError
				if tables.Gone(err) { // its last login was removed meanwhile
					level = slog.LevelDebug
				}
				p.env.Log.Log(ctx, level, "storing events", "room", p.conv.Row.Net, "events", len(done), "error", err)
				p.oneByOne(ctx, done)
			}
			return
		}
		p.conv.KeepEvents(held)
		p.deliver(ctx, done)
	} else {
		p.conv.KeepEvents(held)
	}
	if len(rows) == limit && len(done) > 0 {
		p.conv.Look(conversation.Inbox)
		return
	}
	if len(rows) == len(done) {
		p.endBacklog()
	}
}

// endBacklog gives live events the first priority again. If some were refused meanwhile, their login reads the
// history first.
func (p *Processor) endBacklog() {
	if l := p.conv.CaughtUp(); l != nil {
		p.backfill.Missed(l, p.conv.Row)
		p.conv.Accept()
	}
}

// process turns steps into what is to be stored, in order; those that are held stay for later.
func (p *Processor) process(ctx context.Context, steps []*step) (done []*step, held []tables.Event, all *tables.Batch) {
	all = &tables.Batch{}
	var waiting waiting
	for _, s := range steps {
		s.all = all
		err := errHeld
		if len(held) == 0 || !waiting.concerns(s.e.Body) {
			err = s.run(ctx)
		}
		if ctx.Err() != nil {
			return nil, nil, nil
		}
		if errors.Is(err, errHeld) {
			held = append(held, s.row)
			waiting.add(s.e.Body)
			continue
		}
		if err != nil {
			p.env.Counters.Failed.Add(1)
			p.env.Log.Error("an event is put aside", "room", p.conv.Row.Net, "seq", s.row.Seq, "kind", s.row.Kind, "error", err)
			s.fail(err)
		} else {
			s.finish()
		}
		all.Append(&s.b)
		done = append(done, s)
	}
	return done, held, all
}

// deliver sends what the committed steps want sent.
func (p *Processor) deliver(ctx context.Context, done []*step) {
	p.conversations.Processed(p.conv.ID, len(done))
	p.env.Trace("committed", slog.String("room", string(p.conv.Row.Net)), slog.Int("events", len(done)))
	for _, s := range done {
		for _, f := range s.after {
			p.guard(func() { f(ctx) })
		}
		if len(s.deliveries) > 0 {
			p.log.Deliver(s.row.Seq, s.deliveries)
			p.env.Counters.Delivered.Add(1)
		}
		for _, d := range s.deliveries {
			p.env.Trace("stanza", slog.String("to", d.To.String()), slog.String("id", d.ID))
		}
		p.env.Trace("handed over", slog.String("room", string(p.conv.Row.Net)), slog.String("kind", s.row.Kind), slog.String("key", s.row.Key))
		delete(p.failures, s.row.Seq)
	}
}

// guard keeps a panic from ending more than one step.
func (p *Processor) guard(f func()) {
	defer p.env.Recover("showing an event")
	f()
}

// oneByOne is for a batch that could not be stored: one bad event must not hold up the others. What
// fails alone several times is put aside.
func (p *Processor) oneByOne(ctx context.Context, steps []*step) {
	for _, old := range steps {
		done, held, b := p.process(ctx, p.decode([]tables.Event{old.row}))
		p.held += len(held)
		if ctx.Err() != nil || len(done) == 0 {
			return
		}
		err := p.conv.Commit(ctx, b)
		if err == nil {
			p.deliver(ctx, done)
			continue
		}
		if p.failures == nil {
			p.failures = map[int64]int{}
		}
		if p.failures[old.row.Seq]++; p.failures[old.row.Seq] >= maxFailures {
			update := tables.EventUpdate{Seq: old.row.Seq, State: tables.EventFailed, Error: err.Error()}
			aside := &tables.Batch{Inbox: tables.InboxBatch{Events: []tables.EventUpdate{update}}}
			if p.conv.Commit(ctx, aside) == nil {
				p.env.Counters.Failed.Add(1)
				p.conversations.Processed(p.conv.ID, 1)
				delete(p.failures, old.row.Seq)
				continue
			}
		}
		p.conv.Pause(ctx)
		return // keep the order
	}
}

// lookUp has the network asked for people of the next events who are not known, and returns whether the events
// have to wait for that.
func (p *Processor) lookUp(ctx context.Context, steps []*step) bool {
	if p.lookedUp {
		p.lookedUp = false
		return false
	}
	var unknown []person
	var ids []transports.UserID
	for _, s := range steps {
		ids = s.people(ids[:0])
		for _, id := range ids {
			if _, cached := p.people.Cached(id); cached || id == "" {
				continue
			}
			u := person{p.logins.ByID(s.row.Login), id}
			if !slices.Contains(unknown, u) && p.people.Unknown(ctx, u.login, id) {
				unknown = append(unknown, u)
			}
		}
	}
	if len(unknown) == 0 {
		return false
	}
	p.lookingUp = p.env.Group.Go(func(ctx context.Context) {
		defer p.conv.Enqueue(func(context.Context) {
			p.lookingUp, p.lookedUp = false, true
			p.conv.Look(conversation.Inbox)
		})
		defer p.env.Recover("looking up people")
		ctx, cancel := context.WithTimeout(ctx, gateway.LookupTimeout)
		defer cancel()
		for _, u := range unknown {
			p.people.Lookup(ctx, u.login, u.id, "")
		}
	})
	return p.lookingUp
}

// person is somebody whom the client of a login can be asked about.
type person struct {
	login *logins.Login
	id    transports.UserID
}
