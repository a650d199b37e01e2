package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// accepted is a request that is about to become durable.
type accepted struct {
	call      tables.Call
	request   convert.Request
	archive   *tables.Archived
	tombstone *tables.Archived
	post      *room.Post // shown to the room
	subject   *room.Subject
	st        *stanza.Stanza
}

// written is a stanza of a local user.
type written struct {
	login   *logins.Login
	from    jid.JID // full
	st      *stanza.Stanza
	subject *string
}

// Clients that count from one use ids again soon: a short id is only for a while that of the same stanza.
const (
	weakID   = 16 // length below which an id is thought to be used again
	weakTime = 10 * time.Minute
)

// Send implements rooms.Outbox.
func (q *Queue) Send(ctx context.Context, l *logins.Login, m room.Message) error {
	a, again, err := q.receive(ctx, written{login: l, from: m.Session, st: m.Stanza, subject: m.Subject})
	switch {
	case err != nil:
		return err
	case again != nil:
		q.reflectAgain(m, *again)
	case a.call.Kind == "":
		p := m.Post("")
		p.Transient = true
		q.room.Broadcast(p)
		q.sendTyping(l, m.Stanza)
	default:
		q.acceptForRoom(m, a)
	}
	return nil
}

// Chat takes a message to the other person of a direct chat.
func (q *Queue) Chat(ctx context.Context, l *logins.Login, st *stanza.Stanza) {
	a, again, err := q.receive(ctx, written{login: l, from: st.From, st: st})
	var refused *stanza.Error
	switch {
	case errors.As(err, &refused):
		q.env.Send(st.ErrorReply(refused))
	case err != nil:
		q.env.Log.Error("accepting a message", "room", q.conv.Row.Key, "error", err)
		q.env.Send(st.ErrorReply(stanza.FromError(err)))
	case again != nil:
		if again.State == tables.CallDone && st.Child(convert.NSReceipts, "request") != nil {
			q.receipt(*again)
		}
	case a.call.Kind == "":
		q.sendTyping(l, st)
	default:
		q.accepted = append(q.accepted, a)
		q.typing.ended(st.From)
	}
}

// receive returns the call for a stanza; again is true if the stanza was accepted before. A call without a kind does not
// have to be stored.
func (q *Queue) receive(ctx context.Context, w written) (a accepted, again *tables.Call, err error) {
	request, err := q.parser(w.login).Parse(w.st, w.subject)
	if err == nil {
		request, err = q.check(ctx, w, request)
	}
	if err != nil || request.Kind == convert.None {
		return a, nil, err
	}
	id, message := stanzaIDs(w.st)
	if len(id) > 4*convert.MaxID {
		return a, nil, stanza.NotAcceptable("The id of this message is too long.")
	}
	bare := w.from.Bare()
	origin := id + " " + convert.Hash(w.st.Payload)
	again, stale, err := q.known(ctx, bare, id, origin)
	if err != nil || again != nil {
		return a, again, err
	}
	seq := q.env.Next()
	if stale {
		origin += fmt.Sprint(" ", seq)
	}
	if q.conv.Calls()+len(q.accepted) >= q.env.Settings.Queue {
		return a, nil, stanza.ResourceConstraint("Too many messages wait to be sent here.")
	}
	a.st, a.request = w.st, request
	a.call = tables.Call{
		Seq: seq, Room: q.conv.ID, Login: w.login.ID, Sender: w.from, Origin: origin, Message: message, Kind: string(request.Kind),
		Created: q.env.Now(), Stanza: q.outbox.address.Outgoing(q.conv.Row, bare, origin),
	}
	a.call.Data, err = json.Marshal(request)
	return a, nil, err
}

// parser reads stanzas within what the network can do in this room.
func (q *Queue) parser(l *logins.Login) convert.Parser {
	p := q.outbox.parser
	p.Info.Caps = l.Caps(q.conv.Row.Net)
	return p
}

// stanzaIDs are the id by which a stanza is recognised when it comes again, and its own.
func stanzaIDs(st *stanza.Stanza) (id, own string) {
	id = st.ID
	if origin := message.OriginIDOf(st); origin != "" {
		id = origin
	}
	if id == "" {
		id = stanza.NewID()
	}
	if st.ID == "" {
		return id, id
	}
	return id, st.ID
}

// known finds the call of an earlier stanza with the same origin id: a client sends a stanza again if it got no
// acknowledgement. stale is true if there is such a call, but
// the new stanza is another message: the call has failed, or the id is short and the call old.
func (q *Queue) known(ctx context.Context, bare jid.JID, id, origin string) (again *tables.Call, stale bool, err error) {
	for i := range q.accepted {
		if c := &q.accepted[i].call; c.Origin == origin && c.Sender.Bare() == bare {
			return c, false, nil
		}
	}
	c, ok, err := q.outbox.calls.FindCall(ctx, q.conv.ID, bare.String(), origin)
	if err != nil || !ok {
		return nil, false, err
	}
	if c.State == tables.CallFailed || len(id) < weakID && q.env.Now().Sub(c.Created) > weakTime {
		return nil, true, nil
	}
	return &c, false, nil
}

// acceptForRoom prepares what the room is shown once the call is durable.
func (q *Queue) acceptForRoom(m room.Message, a accepted) {
	post := m.Post(a.call.Stanza)
	archive := &tables.Archived{
		Seq: q.env.Next(), Room: q.conv.ID, ID: a.call.Stanza, Message: a.call.Message, At: q.env.Now(), Nick: m.From.Nick, Occupant: m.From.ID,
		Lang: post.Lang, Extra: post.Extra, Payload: post.Payload,
	}
	switch a.request.Kind {
	case convert.SendTopic:
		a.subject = &room.Subject{Text: a.request.Topic, OccupantID: m.From.ID, Nick: m.From.Nick}
	case convert.SendRead:
		post.Transient = true
		a.post = &post
	case convert.SendDelete:
		a.tombstone = &tables.Archived{Room: q.conv.ID, Retract: a.request.Target, ID: a.call.Stanza, At: q.env.Now()}
		a.post, a.archive = &post, archive
	default:
		a.post, a.archive = &post, archive
	}
	q.accepted = append(q.accepted, a)
	q.typing.ended(m.Session)
}

// reflectAgain answers a client that has sent a stanza again: only this client is shown the message once more.
func (q *Queue) reflectAgain(m room.Message, c tables.Call) {
	at := q.room.Address()
	from, err := at.WithResource(m.From.Nick)
	if err != nil {
		return
	}
	st := m.Stanza.Copy()
	st.To, st.From, st.Type = m.Session, from, stanza.TypeGroupchat
	st.Payload = m.Stanza.Payload + stanza.Encode(
		stanza.NewElement(room.NSOccupantID, "occupant-id").With("id", m.From.ID), message.StanzaID(at, c.Stanza))
	q.room.Send(st)
}

// Store makes durable what was accepted since the last time, with the beginning of the first call, and
// then acknowledges it. It returns whether calls may be due.
func (q *Queue) Store(ctx context.Context) (due bool) {
	list := q.accepted
	if len(list) == 0 {
		return false
	}
	q.room.Flush() // a commit takes a while
	row := q.conv.Row
	b := &tables.Batch{}
	for _, a := range list {
		b.Outbox.Add = append(b.Outbox.Add, a.call)
		if a.archive != nil {
			b.Archive = append(b.Archive, *a.archive)
		}
		if a.tombstone != nil {
			b.Archive = append(b.Archive, *a.tombstone)
		}
		if a.subject != nil {
			row.Topic = a.subject.Text
			b.Rooms.Rooms = append(b.Rooms.Rooms, row)
		}
	}
	first := q.complete && len(q.pending) == 0 && q.call == nil && q.mayBegin(list[0].call)
	if first {
		b.Outbox.Add[0] = q.begin(b.Outbox.Add[0])
	}
	q.addProgress(b)
	row.Last, row.LastAt = q.conv.Row.Last, q.conv.Row.LastAt
	err := q.conv.Commit(ctx, b)
	q.accepted = nil
	if err != nil {
		q.refuseAll(ctx, list, err)
		return false
	}
	q.conv.Row = row
	q.begun = q.begun || first
	if q.complete = q.complete && len(q.pending)+len(list) <= maxLoaded; q.complete {
		q.pending = append(q.pending, b.Outbox.Add...)
	}
	q.conv.AddCalls(len(list))
	q.env.Counters.Accepted.Add(int64(len(list)))
	for _, a := range list {
		q.show(ctx, a)
	}
	return true
}

func (q *Queue) refuseAll(ctx context.Context, list []accepted, err error) {
	q.env.Log.Error("keeping outgoing messages", "room", q.conv.Row.Net, "messages", len(list), "error", err)
	for _, a := range list {
		e := stanza.ResourceConstraint("The message could not be kept. Please try again.")
		if ctx.Err() != nil {
			e = stanza.ServiceUnavailable("The gateway is shutting down. Please try again.")
		}
		q.room.Send(a.st.ErrorReply(e))
	}
}

// show shows the room what has been accepted.
func (q *Queue) show(ctx context.Context, a accepted) {
	q.env.Trace("outbox", slog.String("room", q.conv.Row.Label()), slog.String("kind", a.call.Kind), slog.String("id", a.call.Message))
	switch e := q.room.Engine(); {
	case e == nil:
	case a.subject != nil:
		if err := e.SetSubject(ctx, *a.subject, a.call.Message, a.call.Stanza); err != nil {
			q.env.Log.Warn("showing the subject of a room", "room", q.conv.Row.Net, "error", err)
		}
	case a.post != nil:
		e.Broadcast(*a.post)
	}
}
