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
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
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
	st        *stanza.Stanza
	linked    *Linked // where it is of a linked room
}

// written is a stanza of a local user.
type written struct {
	login   *logins.Login
	from    jid.JID // full
	st      *stanza.Stanza
	subject *string
	by      room.Occupant // of a room
}

// A client sends a stanza that was not acknowledged again under the same origin-id (XEP-0359). Other ids need to be
// unique within one stream only (RFC 6120 §8.1.3), and a short origin-id is thought to be one of those.
const (
	minOriginID = 16
	resendTime  = 24 * time.Hour
)

// Send implements rooms.Outbox.
func (q *Queue) Send(ctx context.Context, l *logins.Login, m room.Message) error {
	a, again, err := q.receive(ctx, written{login: l, from: m.Session, st: m.Stanza, subject: m.Subject, by: m.From})
	switch {
	case err != nil:
		return err
	case again != nil:
		m.Stanza = a.st
		q.reflectAgain(m, *again)
	case a.call.Kind == "":
		p := m.Post("")
		p.Transient = true
		q.room.Broadcast(p)
		q.sendTyping(l, m.Session, m.Stanza)
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
		q.env.Archive(st)
		q.sendTyping(l, st.From, st)
	default:
		q.accepted = append(q.accepted, a)
		q.typing.ended(st.From)
	}
}

// receive returns the call for a stanza; again is set if the stanza was accepted before, whatever has become of the message
// that it is about. A call without a kind does not have to be stored.
func (q *Queue) receive(ctx context.Context, w written) (a accepted, again *tables.Call, err error) {
	a.st = w.st
	request, err := q.parser(w.login).Parse(w.st, w.subject)
	if err != nil || request.Kind == convert.None {
		return a, nil, err
	}
	own, origin := stanzaIDs(w.st)
	if len(own) > 4*convert.MaxID || len(origin) > 4*convert.MaxID {
		return a, nil, stanza.NotAcceptable("The id of this message is too long.")
	}
	bare, seq := w.from.Bare(), q.env.Next()
	recognised := len(origin) >= minOriginID
	if recognised {
		origin += " " + convert.Hash(w.st.Payload)
		if again, recognised, err = q.known(ctx, bare, origin); err != nil {
			return a, nil, err
		}
	}
	checked, err := q.check(ctx, w, request)
	if again != nil {
		a.st = convert.Shown(w.st, checked)
		return a, again, nil
	}
	if err != nil || checked.Kind == convert.None {
		return a, nil, err
	}
	if !recognised {
		origin += fmt.Sprint(" ", seq)
	}
	if q.conv.Calls()+len(q.accepted) >= q.env.Settings.Queue {
		return a, nil, stanza.ResourceConstraint("Too many messages wait to be sent here.")
	}
	if checked.Kind == convert.SendTopic {
		checked.By = &convert.Speaker{Occupant: w.by.ID, Nick: w.by.Nick}
	}
	a.request = checked
	a.call = tables.Call{
		Seq: seq, Room: q.conv.ID, Login: w.login.ID, Sender: w.from, Origin: origin, Message: own, Kind: string(checked.Kind),
		Created: q.env.Now(), Stanza: q.outbox.address.Outgoing(q.conv.Row, bare, origin),
	}
	a.call.Data, err = json.Marshal(checked)
	return a, nil, err
}

// parser reads stanzas within what the network can do in this room.
func (q *Queue) parser(l *logins.Login) convert.Parser {
	p := q.outbox.parser
	p.Info.Caps = l.Caps(q.conv.Row.Net)
	p.All = p.Info.Caps.MentionAll && !q.conv.Direct()
	p.Who = func(to convert.Referred) (transports.UserID, bool) { return q.room.Person(l, to) }
	return p
}

// stanzaIDs are a stanza's own id, and that by which it is recognised when it comes again.
func stanzaIDs(st *stanza.Stanza) (own, origin string) {
	own, origin = st.ID, message.OriginIDOf(st)
	if own == "" {
		own = origin
	}
	if own == "" {
		own = stanza.NewID()
	}
	return own, origin
}

// known finds the call of an earlier stanza with the same origin. unused reports that no call has that origin: it is false
// where there is one that has failed or is old, so that this stanza is another message.
func (q *Queue) known(ctx context.Context, bare jid.JID, origin string) (again *tables.Call, unused bool, err error) {
	for i := range q.accepted {
		if c := &q.accepted[i].call; c.Origin == origin && c.Sender.Bare() == bare {
			return c, false, nil
		}
	}
	c, ok, err := q.outbox.calls.FindCall(ctx, q.conv.ID, bare.String(), origin)
	switch {
	case err != nil || !ok:
		return nil, true, err
	case c.State == tables.CallFailed || q.env.Age(c.Created) > resendTime:
		return nil, false, nil
	}
	return &c, false, nil
}

// acceptForRoom prepares what the room is shown once the call is durable.
func (q *Queue) acceptForRoom(m room.Message, a accepted) {
	m.Stanza = convert.Shown(m.Stanza, a.request)
	post := m.Post(a.call.Stanza)
	archive := &tables.Archived{
		Seq: q.env.Next(), Room: q.conv.ID, ID: a.call.Stanza, Message: a.call.Message, At: q.env.Now(), Nick: m.From.Nick, Occupant: m.From.ID,
		Lang: post.Lang, Extra: post.Extra, Payload: post.Payload,
	}
	switch a.request.Kind {
	case convert.SendTopic: // it is the room's once the network has it
	case convert.SendRead:
		post.Transient = true
		a.post = &post
	case convert.SendEdit:
		archive.Corrects = a.request.Target
		a.post, a.archive = &post, archive
	case convert.SendDelete:
		now := q.env.Now()
		a.tombstone = &tables.Archived{
			Room: q.conv.ID, Retract: a.request.Target, ID: a.call.Stanza, At: now, Payload: convert.Tombstone(a.call.Message, now),
		}
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
		stanza.NewElement(muc.NSOccupantID, "occupant-id").With("id", m.From.ID), message.StanzaID(at, c.Stanza))
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
	b := &tables.Batch{}
	for _, a := range list {
		b.Outbox.Add = append(b.Outbox.Add, a.call)
		if a.archive != nil {
			b.Archive = append(b.Archive, *a.archive)
		}
		if q.conv.Direct() && a.st.Entry != "" { // all are of the login's owner
			b.Sent = append(b.Sent, tables.Sent{At: a.call.Created, Stanza: a.st})
		}
		if a.linked != nil {
			a.linked.addLinked(&b.Links)
		}
		if a.tombstone != nil {
			b.Archive = append(b.Archive, *a.tombstone)
		}
	}
	first := q.complete && len(q.pending) == 0 && q.call == nil && q.mayBegin(list[0].call)
	if first {
		b.Outbox.Add[0] = q.begin(b.Outbox.Add[0])
	}
	q.addProgress(b)
	err := q.conv.Commit(ctx, b)
	q.accepted = nil
	if err != nil {
		q.refuseAll(ctx, list, err)
		return false
	}
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
		q.refuse(a, e)
	}
}

// show shows the room what has been accepted.
func (q *Queue) show(ctx context.Context, a accepted) {
	if a.linked != nil {
		if a.post != nil {
			q.room.SetGuest(ctx, a.linked.Author)
		}
		a.linked.Done(nil)
	}
	q.env.Trace("outbox", slog.String("room", q.conv.Row.Label()), slog.String("kind", a.call.Kind), slog.String("id", a.call.Message))
	if a.post != nil {
		q.room.NotifyMembers(ctx, *a.post, a.st.From)
		q.room.Broadcast(*a.post)
	}
}
