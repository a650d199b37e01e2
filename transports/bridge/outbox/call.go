package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/conversation"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// maxUnreadable is how often a call is made if its answer cannot be read: the calls after it in its conversation must not
// wait as long as during an outage.
const maxUnreadable = 6

// call is one call to a client that is under way. Its goroutine has copies of all it needs.
type call struct {
	outbox  *Outbox
	client  transports.Client
	room    tables.Room
	row     tables.Call
	request convert.Request
	user    transports.UserID
	// relation is that of the message that is sent or changed.
	relation relation
	echo     *echo // belongs to the conversation's goroutine
	queue    *Queue
}

// result is the result of a call. It has the ids of the parts that were sent, even if a later part failed.
type result struct {
	room    transports.RoomID // where it was opened for this call
	batch   tables.MessageBatch
	deleted []transports.MessageID
	notice  string // for the sender
	err     error
}

// start stores that a call is made, unless that was stored already, and makes it.
func (q *Queue) start(ctx context.Context, l *logins.Login, client transports.Client) bool {
	row := q.pending[0]
	var request convert.Request
	if err := json.Unmarshal(row.Data, &request); err != nil {
		q.env.Log.Error("an outgoing message cannot be read", "room", q.conv.Row.Net, "seq", row.Seq, "error", err)
		q.giveUp(ctx, stanza.InternalServerError())
		return true
	}
	request.Kind = convert.Kind(row.Kind)
	if !q.begun {
		row = q.begin(row)
		if err := q.conv.Commit(ctx, &tables.Batch{Outbox: tables.OutboxBatch{Update: []tables.Call{row}}}); err != nil {
			q.lookAfter(time.Second)
			return false
		}
		q.pending[0] = row
	}
	q.begun = false
	c := &call{outbox: q.outbox, client: client, room: q.conv.Row, row: row, request: request, user: l.User, queue: q}
	q.call = c
	if request.Kind == convert.SendMessage {
		q.outbox.echoes.add(q.outbox.nonces.Of(row, row.Part), begun{q, l.ID, l.User})
	}
	q.env.Counters.Calls.Add(1)
	q.env.Trace("call", slog.String("room", q.conv.Row.Label()), slog.String("kind", row.Kind), slog.Int("attempt", row.Attempt))
	started := q.env.Group.Go(func(ctx context.Context) {
		r := c.run(ctx)
		q.env.Trace("answered", slog.String("room", string(c.room.Net)), slog.String("kind", c.row.Kind), slog.Bool("failed", r.err != nil))
		q.conv.Enqueue(func(ctx context.Context) { q.ended(ctx, c, r) })
	})
	if !started {
		q.call = nil
	}
	return started
}

// run makes the call; a panic of the client becomes the call's error.
func (c *call) run(ctx context.Context) (r result) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout())
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			c.outbox.env.Counters.Panics.Add(1)
			r.err = fmt.Errorf("panic in a client: %v\n%s", v, debug.Stack())
		}
	}()
	if c.room.Net == "" {
		if r.err = c.openDirect(ctx, &r); r.err != nil {
			return r
		}
	}
	switch c.request.Kind {
	case convert.SendMessage:
		r.err = c.send(ctx, &r)
	case convert.SendEdit:
		r.err = c.edit(ctx, &r)
	case convert.SendDelete:
		r.err = c.delete(ctx, &r)
	case convert.SendReact:
		r.err = c.react(ctx, &r)
	case convert.SendRead:
		r.err = c.read(ctx)
	case convert.SendTopic:
		r.err = c.topic(ctx, &r)
	default:
		r.err = fmt.Errorf("outgoing kind %q is not known", c.row.Kind)
	}
	return r
}

// openDirect has the network make the room of a direct chat.
func (c *call) openDirect(ctx context.Context, r *result) error {
	opener, ok := c.client.(transports.DirectOpener)
	if !ok {
		return transports.Refuse("item-not-found", c.network()+" lets you write only to people who have written to you.", nil)
	}
	id, err := opener.Direct(ctx, c.room.Peer)
	if err != nil {
		return fmt.Errorf("open direct chat: %w", unsent(err))
	}
	c.room.Net, r.room = id, id
	return nil
}

func (c *call) network() string { return c.outbox.env.Info.Name }

// unsent marks an error from before anything was sent.
func unsent(err error) error {
	var e *transports.Error
	if errors.As(err, &e) {
		marked := *e
		marked.Unsent = true
		return &marked
	}
	if transports.ClassOf(err) == transports.Retry {
		return &transports.Error{Class: transports.Retry, Text: "the network does not answer", Unsent: true, Err: err}
	}
	return err
}

// ended stores the result of a call.
func (q *Queue) ended(ctx context.Context, c *call, r result) {
	if q.call != c {
		return
	}
	r = c.settle(r)
	b := &tables.Batch{Messages: r.batch}
	if len(r.deleted) > 0 {
		b.Messages.Deleted = []tables.Deletion{{Room: q.conv.ID, Net: r.deleted}}
	}
	if r.room != "" && q.conv.Row.Net == "" {
		q.conv.Row.Net = r.room
		b.Rooms.Rooms = []tables.Room{q.conv.Row}
		if l := q.outbox.logins.ByID(c.row.Login); l != nil {
			defer q.outbox.backfill.Found(l, q.conv.Row) // once it is stored; they may have written before us
		}
	}
	if r.notice != "" && r.err == nil {
		q.report(c, r.notice)
	}
	if r.err == nil {
		q.partDone(ctx, b, c.request)
	} else {
		q.failed(ctx, b, r.err)
	}
	q.call = nil
	q.conv.Look(conversation.Inbox | conversation.Outbox)
}

// partDone goes on to the next part of the first call, or ends it and begins the next one.
func (q *Queue) partDone(ctx context.Context, b *tables.Batch, request convert.Request) {
	row := q.pending[0]
	row.Part++
	last := convert.Kind(row.Kind) != convert.SendMessage || row.Part >= len(request.Parts)
	if last {
		row.State, row.Data = tables.CallDone, request.Files.Kept()
	} else {
		row.State, row.Attempt = tables.CallQueued, 0
		row = q.begin(row)
	}
	b.Outbox.Update = append(b.Outbox.Update, row)
	removed := q.moderated(row, request, b)
	if removed != nil {
		b.Archive = append(b.Archive, removed.rows...)
	}
	topic := convert.Kind(row.Kind) == convert.SendTopic
	if topic {
		changed := q.conv.Row
		changed.Topic = request.Topic
		b.Rooms.Rooms = append(b.Rooms.Rooms, changed)
	}
	q.addProgress(b)
	begins := last && len(q.pending) > 1 && q.mayBegin(q.pending[1])
	if begins {
		b.Outbox.Update = append(b.Outbox.Update, q.begin(q.pending[1]))
	}
	if !q.conv.Persist(ctx, b) {
		return // the next start finds the call in doubt and asks the network
	}
	q.env.Trace("sent", slog.String("room", string(q.conv.Row.Net)), slog.String("kind", row.Kind), slog.Int("ids", len(b.Messages.Mappings)))
	if !last {
		q.pending[0], q.begun = row, true
		q.retry.failures, q.retry.notBefore = 0, time.Time{}
		return
	}
	q.next()
	if removed != nil {
		q.room.Broadcast(removed.post)
	}
	if topic {
		q.conv.Row.Topic = request.Topic
		q.showTopic(ctx, row, request)
	}
	if begins {
		q.pending[0], q.begun = b.Outbox.Update[1], true
	}
	if request.Receipt && q.conv.Direct() {
		q.receipt(row)
	}
}

// receipt sends the sender a delivery receipt: the network has the message (XEP-0184).
func (q *Queue) receipt(c tables.Call) {
	if from, _, err := q.address(); err == nil {
		q.env.Send(stanza.NewMessage(c.Sender, from, stanza.TypeChat, convert.Receipt(c.Message)))
	}
}

// failed handles the error of a call by its class: repeat it, wait for the login, or return the message to its sender.
func (q *Queue) failed(ctx context.Context, b *tables.Batch, err error) {
	var e *transports.Error
	errors.As(err, &e)
	row := q.pending[0]
	switch class := transports.ClassOf(err); class {
	case transports.Retry, transports.NeedLogin:
		if e != nil && q.unreadable(e) {
			err = &transports.Error{Class: transports.Unknown, Text: e.Text, Err: err}
			break
		}
		q.env.Counters.Retries.Add(1)
		q.env.Log.Debug("a call is to be tried again", "room", q.conv.Row.Net, "kind", row.Kind, "attempt", row.Attempt, "error", err)
		if class == transports.NeedLogin || e != nil && e.Unsent {
			if row.Attempt--; row.Attempt <= 0 { // the network has seen neither this attempt nor one before
				row.State, row.Attempt = tables.CallQueued, 0
			}
		}
		b.Outbox.Update = []tables.Call{row}
		if !q.conv.Persist(ctx, b) {
			return
		}
		q.pending[0] = row
		q.retryIn(e)
		if l := q.outbox.logins.ByID(row.Login); l != nil && class == transports.NeedLogin {
			q.env.Group.Go(func(ctx context.Context) { l.LoseLogin(ctx, err) })
		}
		return
	case transports.Bug:
		q.env.Counters.Failed.Add(1)
		q.env.Log.Error("an outgoing message is put aside", "room", q.conv.Row.Net, "seq", row.Seq, "kind", row.Kind, "error", err)
	}
	if !b.Messages.Empty() || len(b.Rooms.Rooms) > 0 {
		q.conv.Persist(ctx, b)
	}
	q.giveUp(ctx, convert.NetworkError(err))
}

// unreadable counts the answers to the first call that made no sense, and reports whether there were too many.
func (q *Queue) unreadable(e *transports.Error) bool {
	if e.Unreadable {
		q.retry.unreadable++
	}
	return q.retry.unreadable >= maxUnreadable
}

// retryIn notes that the first call is to be made again, not before the network allows it.
func (q *Queue) retryIn(e *transports.Error) {
	d := gateway.Backoff(q.retry.failures)
	if e != nil && e.After > d {
		d = e.After
	}
	q.retry.failures, q.retry.why = q.retry.failures+1, e
	q.retry.notBefore = q.env.Now().Add(d)
}
