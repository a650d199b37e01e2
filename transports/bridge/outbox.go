package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// The kinds of outbox rows.
const (
	outMessage = "message"
	outEdit    = "edit"
	outDelete  = "delete"
	outReact   = "react"
	outRead    = "read"
	outTopic   = "topic"
)

// outData is what an outbox row says.
type outData struct {
	Parts   []richtext.Text `json:"parts,omitempty"`
	Me      bool            `json:"me,omitempty"`
	ReplyTo string          `json:"reply,omitempty"`  // a stanza's id
	Thread  string          `json:"thread,omitempty"` // a stanza's id
	Target  string          `json:"target,omitempty"` // a stanza's id, of what is changed
	Emoji   []string        `json:"emoji,omitempty"`  // the whole set
	Topic   string          `json:"topic,omitempty"`
	Receipt bool            `json:"receipt,omitempty"` // the sender wants one (XEP-0184)
	Text    string          `json:"text,omitempty"`    // how it begins
}

// accepted is something said that is about to become durable.
type accepted struct {
	row     tables.Call
	data    outData
	archive *tables.Archived
	tomb    *tables.Archived
	post    *room.Post // reflected to the room
	subject *room.Subject
	st      *stanza.Stanza
}

// outgoing is a stanza that a local user wants the network to see.
type outgoing struct {
	account *account
	from    jid.JID // full
	st      *stanza.Stanza
	subject *string
}

// weakID is the length below which an id is thought to be used again soon, by clients
// that count from one.
const (
	weakID   = 16
	weakTime = 10 * time.Minute
)

// receiveOut gives an outgoing stanza its row. again tells that it was accepted before.
func (w *worker) receiveOut(ctx context.Context, o outgoing) (acc accepted, again *tables.Call, err error) {
	kind, data, err := w.meaning(ctx, o)
	if err != nil || kind == "" {
		return acc, nil, err
	}
	id := o.st.ID
	if x := o.st.Child(nsStanzaID, "origin-id"); x != nil && x.Attr("id") != "" {
		id = x.Attr("id")
	}
	if id == "" {
		id = stanza.NewID()
	}
	if len(id) > 4*maxID {
		return acc, nil, stanza.NotAcceptable("The id of this message is too long.")
	}
	bare := o.from.Bare()
	origin := id + " " + hash(o.st.Payload)
	again, stale, err := w.knownOut(ctx, bare, id, origin)
	if err != nil || again != nil {
		return acc, again, err
	}
	seq := w.g.next()
	if stale {
		origin += fmt.Sprint(" ", seq)
	}
	if w.full() {
		return acc, nil, stanza.ResourceConstraint("Too many messages wait to be sent here.")
	}
	message := o.st.ID
	if message == "" {
		message = id
	}
	acc.st, acc.data = o.st, data
	acc.row = tables.Call{
		Seq: seq, Room: w.id, Login: o.account.id, Sender: o.from, Origin: origin, Message: message, Kind: kind, Created: w.g.now(),
		Stanza: hash(w.g.domain.String(), string(w.row.Scope), w.row.Key, bare.String(), origin),
	}
	acc.row.Data, err = json.Marshal(data)
	return acc, nil, err
}

// knownOut finds the row of the same stanza, sent again by a client that could not know
// that we had it. stale tells that there is one, but the new stanza is another message.
func (w *worker) knownOut(ctx context.Context, bare jid.JID, id, origin string) (again *tables.Call, stale bool, err error) {
	for i := range w.accepted {
		if r := &w.accepted[i].row; r.Origin == origin && r.Sender.Bare() == bare {
			return r, false, nil
		}
	}
	row, ok, err := w.g.store.FindCall(ctx, w.id, bare.String(), origin)
	if err != nil || !ok {
		return nil, false, err
	}
	if row.State == tables.CallFailed || len(id) < weakID && w.g.now().Sub(row.Created) > weakTime {
		return nil, true, nil
	}
	return &row, false, nil
}

func (w *worker) full() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queued+len(w.accepted) >= w.g.set.Queue
}

// accept makes durable what was said since the last time, then acknowledges it.
func (w *worker) accept(ctx context.Context) {
	list := w.accepted
	w.accepted = nil
	if len(list) == 0 {
		return
	}
	b := &tables.Batch{}
	for _, a := range list {
		b.Outbox.Add = append(b.Outbox.Add, a.row)
		if a.archive != nil {
			b.Archive = append(b.Archive, *a.archive)
		}
		if a.tomb != nil {
			b.Archive = append(b.Archive, *a.tomb)
		}
		if a.subject != nil {
			w.row.Topic = a.subject.Text
			b.Rooms.Rooms = append(b.Rooms.Rooms, w.row)
		}
	}
	if err := w.commit(ctx, b); err != nil {
		w.g.log.Error("keeping outgoing messages", "room", w.row.Net, "messages", len(list), "error", err)
		for _, a := range list {
			e := stanza.ResourceConstraint("The message could not be kept. Please try again.")
			if ctx.Err() != nil {
				e = stanza.ServiceUnavailable("The gateway is shutting down. Please try again.")
			}
			w.g.send(a.st.ErrorReply(e))
		}
		return
	}
	w.mu.Lock()
	w.queued += len(list)
	w.outward = true
	w.mu.Unlock()
	w.g.Counters.Accepted.Add(int64(len(list)))
	w.together(func() { w.show(ctx, list) })
}

// show lets the room see what has been accepted.
func (w *worker) show(ctx context.Context, list []accepted) {
	for _, a := range list {
		w.g.trace("outbox", slog.String("room", w.row.Label()), slog.String("kind", a.row.Kind), slog.String("id", a.row.Message))
		switch {
		case w.room == nil:
		case a.subject != nil:
			w.room.SetSubject(ctx, *a.subject, a.row.Message, a.row.Stanza)
		case a.post != nil:
			w.room.Broadcast(*a.post)
		}
	}
}

// loadHead finds the oldest row that waits.
func (w *worker) loadHead(ctx context.Context) error {
	if w.head != nil {
		return nil
	}
	rows, err := w.g.store.PendingCalls(ctx, w.id, 1)
	if err == nil && len(rows) > 0 {
		w.head = &rows[0]
	}
	return err
}

// calling tells whether an outgoing call is in flight or its outcome unknown.
func (w *worker) calling() bool {
	return w.call != nil || w.head != nil && w.head.State == tables.CallSending
}

// sendOut makes the next call, or finds out why not yet.
func (w *worker) sendOut(ctx context.Context) {
	for w.call == nil && ctx.Err() == nil {
		if err := w.loadHead(ctx); err != nil {
			w.g.log.Error("reading the outbox", "room", w.row.Net, "error", err)
			w.wakeAt(time.Second)
			return
		}
		if w.head == nil {
			return
		}
		a := w.g.account(w.head.Login)
		switch {
		case a == nil:
			w.giveUp(ctx, tables.CallFailed, stanza.RegistrationRequired("Your account is no longer linked."))
			continue
		case w.g.now().Sub(w.head.Created) >= w.g.set.KeepWaiting:
			w.giveUp(ctx, tables.CallFailed, w.expired())
			continue
		}
		session := a.ready()
		if session == nil || w.g.now().Before(w.notNow) {
			w.waitMore(ctx, a)
			return
		}
		if !w.startCall(ctx, a, session) {
			return
		}
	}
}

func (w *worker) expired() *stanza.Error {
	text := w.g.info.Name + " could not be reached in time; the message was not sent."
	if w.head.State == tables.CallSending {
		text = w.g.info.Name + " could not be reached in time; the message may or may not have arrived."
	}
	return stanza.RemoteServerTimeout(text)
}

// giveUp ends the head with an error to its sender.
func (w *worker) giveUp(ctx context.Context, state tables.CallState, e *stanza.Error) {
	row := *w.head
	row.State = state
	if !w.persist(ctx, &tables.Batch{Outbox: tables.OutboxBatch{Update: []tables.Call{row}}}) {
		return
	}
	w.g.Counters.Refused.Add(1)
	w.headDone()
	if row.Kind != outRead {
		w.sendError(row, e)
	}
}

// headDone goes on to the next row.
func (w *worker) headDone() {
	w.head, w.tries, w.notNow = nil, 0, time.Time{}
	w.mu.Lock()
	w.queued = max(0, w.queued-1)
	w.outward, w.inbound = true, true // held events may go on
	w.mu.Unlock()
}

// sendError tells the sender of a row what became of it.
func (w *worker) sendError(row tables.Call, e *stanza.Error) {
	from, typ, err := w.address()
	if err != nil {
		return
	}
	w.g.send(&stanza.Stanza{
		Kind: stanza.Message, To: row.Sender, From: from, ID: row.Message, Type: stanza.TypeError, Payload: stanza.Encode(e.Element()),
	})
	w.g.log.Info("a message was refused", "room", w.row.Net, "kind", row.Kind, "type", typ, "condition", e.Condition)
}

// address is the room's or contact's JID and the type of its messages.
func (w *worker) address() (jid.JID, string, error) {
	if w.direct() {
		j, err := w.g.contactJID(w.row.Peer)
		return j, stanza.TypeChat, err
	}
	j, err := w.g.roomJID(w.row.Net)
	return j, stanza.TypeGroupchat, err
}

// stanzaError is what the sender of something is told about an error of the network.
func stanzaError(err error) *stanza.Error {
	var e *transports.Error
	switch {
	case errors.As(err, &e) && e.Class == transports.Refused:
		condition := e.Condition
		if condition == "" {
			condition = "not-acceptable"
		}
		return &stanza.Error{Type: errorType(condition), Condition: condition, Text: cutBytes(e.Text, 1000)}
	case transports.ClassOf(err) == transports.Retry:
		return stanza.RemoteServerTimeout("The network does not answer. Please try again later.")
	case transports.ClassOf(err) == transports.NeedLogin:
		return stanza.NotAuthorized("Your account has to be linked again.")
	}
	return stanza.InternalServerError()
}

// errorType is the default type of a condition (RFC 6120 §8.3.3).
func errorType(condition string) string {
	switch condition {
	case "bad-request", "jid-malformed", "not-acceptable", "policy-violation", "redirect":
		return "modify"
	case "forbidden", "not-authorized", "registration-required", "subscription-required":
		return "auth"
	case "recipient-unavailable", "remote-server-timeout", "resource-constraint", "unexpected-request":
		return "wait"
	}
	return "cancel"
}
