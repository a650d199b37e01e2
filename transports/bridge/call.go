package bridge

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
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// call is one call of a session that is under way. Its goroutine has copies of all it needs.
type call struct {
	g       *Gateway
	session transports.Client
	room    tables.Room
	row     tables.Call
	data    outData
	user    transports.UserID
}

// outcome is what a call has come to. Done parts have their ids here even when a later one failed.
type outcome struct {
	room   transports.RoomID // where it was opened for this
	ids    []tables.Mapping
	gone   []transports.MessageID
	echoes []tables.Echo
	react  []tables.Reaction
	unset  []tables.Reaction
	err    error
}

// startCall notes durably that a call is made, and makes it.
func (w *worker) startCall(ctx context.Context, a *account, session transports.Client) bool {
	row := *w.head
	row.State = tables.CallSending
	row.Attempt++
	if row.Since.IsZero() || row.Attempt == 1 {
		row.Since = w.g.now()
	}
	var data outData
	if err := json.Unmarshal(row.Data, &data); err != nil {
		w.g.log.Error("an outgoing message cannot be read", "room", w.row.Net, "seq", row.Seq, "error", err)
		w.giveUp(ctx, tables.CallFailed, stanza.InternalServerError())
		return true
	}
	if err := w.commit(ctx, &tables.Batch{Outbox: tables.OutboxBatch{Update: []tables.Call{row}}}); err != nil {
		w.wakeAt(time.Second)
		return false
	}
	*w.head = row
	c := &call{g: w.g, session: session, room: w.row, row: row, data: data, user: a.user}
	w.call = c
	w.g.Counters.Calls.Add(1)
	w.g.trace("call", slog.String("room", w.row.Label()), slog.String("kind", row.Kind), slog.Int("attempt", row.Attempt))
	if !w.g.spawn(func(ctx context.Context) {
		out := c.run(ctx)
		w.g.trace("answered", slog.String("room", string(c.room.Net)), slog.String("kind", c.row.Kind), slog.Bool("failed", out.err != nil))
		w.g.post(w.id, true, func(ctx context.Context, w *worker) { w.callEnded(ctx, c, out) })
	}) {
		w.call = nil
		return false
	}
	return true
}

// run makes the call; a panic of the session is a bug like any other.
func (c *call) run(ctx context.Context) (out outcome) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			c.g.Counters.Panics.Add(1)
			out.err = fmt.Errorf("panic in a session: %v\n%s", v, debug.Stack())
		}
	}()
	if c.room.Net == "" {
		d, ok := c.session.(transports.DirectOpener)
		if !ok {
			return outcome{err: transports.Refuse("item-not-found", c.g.info.Name+" lets you write only to people who have written to you.", nil)}
		}
		id, err := d.Direct(ctx, c.room.Peer)
		if err != nil {
			return outcome{err: fmt.Errorf("open conversation: %w", unsent(err))}
		}
		c.room.Net, out.room = id, id
	}
	switch c.row.Kind {
	case outMessage:
		c.send(ctx, &out)
	case outEdit:
		c.edit(ctx, &out)
	case outDelete:
		c.delete(ctx, &out)
	case outReact:
		c.react(ctx, &out)
	case outRead:
		c.read(ctx, &out)
	case outTopic:
		c.topic(ctx, &out)
	default:
		out.err = fmt.Errorf("outgoing kind %q is not known", c.row.Kind)
	}
	return out
}

// unsent marks an error from before anything was sent.
func unsent(err error) error {
	var e *transports.Error
	if errors.As(err, &e) {
		c := *e
		c.Unsent = true
		return &c
	}
	if transports.ClassOf(err) == transports.Retry {
		return &transports.Error{Class: transports.Retry, Text: "the network does not answer", Unsent: true, Err: err}
	}
	return err
}

// callEnded writes down what a call has come to.
func (w *worker) callEnded(ctx context.Context, c *call, out outcome) {
	if w.call != c {
		return
	}
	b := &tables.Batch{Messages: tables.MessageBatch{Mappings: out.ids, Echoes: out.echoes, Reactions: out.react, ReactionsRemoved: out.unset}}
	if len(out.gone) > 0 {
		b.Messages.Deleted = []tables.Deletion{{Room: w.id, Net: out.gone}}
	}
	if out.room != "" && w.row.Net == "" {
		w.row.Net = out.room
		b.Rooms.Rooms = []tables.Room{w.row}
		if a := w.g.account(c.row.Login); a != nil {
			defer a.found(w.row) // once it is written down; they may have written before us
		}
	}
	if out.err == nil {
		w.partDone(ctx, b, c.data)
	} else {
		w.callFailed(ctx, b, out.err)
	}
	w.call = nil
	w.lookIn()
	w.lookOut()
}

// partDone goes on to the next part of the head, or ends it.
func (w *worker) partDone(ctx context.Context, b *tables.Batch, data outData) {
	row := *w.head
	row.Part++
	last := row.Kind != outMessage || row.Part >= len(data.Parts)
	if last {
		row.State, row.Data = tables.CallDone, nil
	} else {
		row.State, row.Attempt = tables.CallQueued, 0
	}
	b.Outbox.Update = []tables.Call{row}
	if !w.persist(ctx, b) {
		return // the next start finds the row in doubt and asks the network
	}
	w.g.trace("sent", slog.String("room", string(w.row.Net)), slog.String("kind", row.Kind), slog.Int("ids", len(b.Messages.Mappings)))
	if !last {
		*w.head = row
		w.tries, w.notNow = 0, time.Time{}
		return
	}
	w.headDone()
	if data.Receipt && w.direct() {
		w.receipt(row)
	}
}

// receipt tells the sender that the network has the message (XEP-0184).
func (w *worker) receipt(row tables.Call) {
	if from, _, err := w.address(); err == nil {
		w.g.send(stanza.NewMessage(row.Sender, from, stanza.TypeChat, stanza.NewElement(nsReceipts, "received").With("id", row.Message)))
	}
}

// callFailed does what the error's class asks for.
func (w *worker) callFailed(ctx context.Context, b *tables.Batch, err error) {
	var e *transports.Error
	errors.As(err, &e)
	row := *w.head
	switch class := transports.ClassOf(err); class {
	case transports.Retry, transports.NeedLogin:
		w.g.Counters.Retries.Add(1)
		w.g.log.Debug("a call is to be tried again", "room", w.row.Net, "kind", row.Kind, "attempt", row.Attempt, "error", err)
		if class == transports.NeedLogin || e != nil && e.Unsent {
			row.State = tables.CallQueued
		}
		b.Outbox.Update = []tables.Call{row}
		if !w.persist(ctx, b) {
			return
		}
		*w.head = row
		w.retryIn(e)
		if a := w.g.account(row.Login); a != nil && class == transports.NeedLogin {
			w.g.spawn(func(ctx context.Context) { a.loseLogin(ctx, err) })
		}
		return
	case transports.Bug:
		w.g.Counters.Failed.Add(1)
		w.g.log.Error("an outgoing message is kept aside", "room", w.row.Net, "seq", row.Seq, "kind", row.Kind, "error", err)
	}
	if len(b.Messages.Mappings)+len(b.Messages.Deleted)+len(b.Rooms.Rooms) > 0 {
		w.persist(ctx, b)
	}
	w.giveUp(ctx, tables.CallFailed, stanzaError(err))
}

// The answers of echo.
type echoing int

const (
	echoNone   echoing = iota // it is not the echo of anything that we know of
	echoHeld                  // it may be that of the call in doubt
	echoOfOurs                // it is, and settles the doubt
)

// echo tells whether a new message by us is that of the head.
func (w *worker) echo(ctx context.Context, nonce string, net transports.MessageID, at time.Time) echoing {
	if !w.calling() {
		return echoNone
	}
	if w.call != nil || w.head.Kind != outMessage || nonce == "" || nonce != w.g.clientID(*w.head, w.head.Part) {
		return echoHeld
	}
	var data outData
	if json.Unmarshal(w.head.Data, &data) != nil {
		return echoHeld
	}
	a := w.g.account(w.head.Login)
	row := idRow(w.row, *w.head, data, transports.Sent{ID: net, At: at}, w.head.Part)
	if a != nil {
		row.Author = a.user
	}
	w.partDone(ctx, &tables.Batch{Messages: tables.MessageBatch{Mappings: []tables.Mapping{row}}}, data)
	return echoOfOurs
}

// clientID is our id of a part: the same at every attempt, short enough for any network's nonce.
func (g *Gateway) clientID(row tables.Call, part int) string {
	return hash(g.domain.String(), row.Stanza, row.Sender.Bare().String(), fmt.Sprint(part))
}
