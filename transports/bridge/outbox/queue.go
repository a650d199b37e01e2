package outbox

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/mailbox"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/conversation"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/rooms"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// maxLoaded is how many calls of one conversation are in memory.
const maxLoaded = 64

// Queue is the outbox of one conversation. It belongs to the conversation's goroutine.
type Queue struct {
	outbox *Outbox
	env    *gateway.Env
	conv   *conversation.Conversation
	room   *rooms.Room

	accepted []accepted    // not durable yet
	pending  []tables.Call // durable, in order; the first is being made or the next
	complete bool          // pending has all that wait
	begun    bool          // the first was stored as sending, and has not been made yet
	call     *call         // under way
	retry    retry
	progress *tables.Progress // of the last echo, written with the next change
	typing   typing
}

// retry is when the first call may be made again.
type retry struct {
	notBefore time.Time
	failures  int               // in a row
	why       *transports.Error // the last of them; nil where it has no class
	// unreadable are the answers to the first call that made no sense.
	unreadable int
	timer      *mailbox.Timer
}

// Load reads the calls that wait. A call whose outcome is not known must be known of before any event is
// processed.
func (q *Queue) Load(ctx context.Context) error {
	q.accepted, q.pending, q.call, q.begun = nil, nil, nil, false
	if !q.conv.Exists() {
		q.complete = true
		return nil
	}
	return q.read(ctx)
}

func (q *Queue) read(ctx context.Context) (err error) {
	q.pending, err = q.outbox.calls.PendingCalls(ctx, q.conv.ID, maxLoaded)
	q.complete = err == nil && len(q.pending) < maxLoaded
	return err
}

// Disposable reports whether nothing has to stay in memory.
func (q *Queue) Disposable() bool {
	return q.call == nil && len(q.pending) == 0 && len(q.accepted) == 0
}

// Empty reports whether nothing waits to become durable.
func (q *Queue) Empty() bool { return len(q.accepted) == 0 }

// Close stops what waits for a time.
func (q *Queue) Close() {
	if q.retry.timer != nil {
		q.retry.timer.Stop()
		q.retry.timer = nil
	}
}

// Retry lets the first call be made at once, since the login has come online.
func (q *Queue) Retry() {
	q.retry.notBefore = time.Time{}
	q.conv.Look(conversation.Outbox)
}

// Calling reports whether a call is under way or its outcome unknown.
func (q *Queue) Calling() bool {
	return q.call != nil || len(q.pending) > 0 && q.pending[0].State == tables.CallSending
}

// Making reports whether that call is of a kind and changes a message, by the id of its stanza.
func (q *Queue) Making(kind convert.Kind, target string) bool {
	return q.Calling() && convert.Kind(q.pending[0].Kind) == kind && decode(q.pending[0]).Target == target
}

// Work makes the next call. If it cannot be made now, Work arranges for the queue to run again in time.
func (q *Queue) Work(ctx context.Context) {
	for q.call == nil && ctx.Err() == nil {
		if len(q.pending) == 0 && !q.complete {
			if err := q.read(ctx); err != nil {
				q.env.Log.Error("reading the outbox", "room", q.conv.Row.Net, "error", err)
				q.lookAfter(time.Second)
				return
			}
		}
		if len(q.pending) == 0 {
			return
		}
		head := q.pending[0]
		l := q.outbox.logins.ByID(head.Login)
		switch {
		case l == nil:
			q.giveUp(ctx, stanza.RegistrationRequired("Your account is no longer linked."))
			continue
		case q.env.Age(head.Created) >= q.env.Settings.KeepWaiting:
			q.giveUp(ctx, q.expired())
			continue
		case head.State == tables.CallSending && !q.begun && !q.repeatable(head):
			if now := q.env.Now(); now.Before(head.Since) { // the clock was set back meanwhile
				head.Since, q.pending[0].Since = now, now
			}
			if left := head.Since.Add(q.env.Settings.EchoWait).Sub(q.env.Now()); left > 0 { // its echo may come
				q.lookAfter(left)
				return
			}
			q.giveUp(ctx, stanza.RemoteServerTimeout("It is not known whether the message has arrived at "+q.env.Info.Name+"."))
			continue
		}
		client := l.Client()
		if client == nil || q.env.Now().Before(q.retry.notBefore) {
			q.wait(ctx, l)
			return
		}
		if !q.start(ctx, l, client) {
			return
		}
	}
}

// repeatable reports whether a call whose outcome is not known may be made once more.
func (q *Queue) repeatable(c tables.Call) bool {
	return convert.Kind(c.Kind) != convert.SendMessage || q.env.Info.Caps.Repeatable
}

func (q *Queue) expired() *stanza.Error {
	why := q.env.Info.Name + " could not be reached in time"
	if reason, limited := convert.Waits(q.retry.why); limited {
		why = reason + " for too long"
	}
	if q.pending[0].State == tables.CallSending {
		return stanza.RemoteServerTimeout(why + "; the message may or may not have arrived.")
	}
	return stanza.RemoteServerTimeout(why + "; the message was not sent.")
}

// begin is how a call is stored before it is made.
func (q *Queue) begin(c tables.Call) tables.Call {
	c.State = tables.CallSending
	c.Attempt++
	if c.Since.IsZero() || c.Attempt == 1 {
		c.Since = q.env.Now()
	}
	return c
}

// mayBegin reports whether a call can be made at once.
func (q *Queue) mayBegin(c tables.Call) bool {
	l := q.outbox.logins.ByID(c.Login)
	return l != nil && l.Online() && !q.env.Now().Before(q.retry.notBefore) && q.env.Age(c.Created) < q.env.Settings.KeepWaiting
}

// giveUp ends the first call with an error to its sender.
func (q *Queue) giveUp(ctx context.Context, e *stanza.Error) {
	c := q.pending[0]
	c.State = tables.CallFailed
	if !q.conv.Persist(ctx, &tables.Batch{Outbox: tables.OutboxBatch{Update: []tables.Call{c}}}) {
		return
	}
	q.env.Counters.Refused.Add(1)
	q.next()
	if convert.Kind(c.Kind) != convert.SendRead {
		q.sendError(c, e)
	}
	q.takeBack(ctx, c)
}

// next goes on to the next call.
func (q *Queue) next() {
	q.pending = q.pending[1:]
	q.begun = false
	q.retry.failures, q.retry.unreadable, q.retry.notBefore = 0, 0, time.Time{}
	q.conv.AddCalls(-1)
	q.conv.Look(conversation.Inbox | conversation.Outbox) // events that were held may go on
}

// sendError sends the sender of a call the error that it has ended with.
func (q *Queue) sendError(c tables.Call, e *stanza.Error) {
	if r := decode(c); r.Linked != nil {
		q.outbox.links.Refused(r.Linked.Link, r.Linked.Nick, e)
		return
	}
	from, typ, err := q.address()
	if err != nil {
		return
	}
	q.room.Send(&stanza.Stanza{
		Kind: stanza.Message, To: c.Sender, From: from, ID: c.Message, Type: stanza.TypeError, Payload: stanza.Encode(e.Element()),
	})
	q.env.Log.Info("a message was refused", "room", q.conv.Row.Net, "kind", c.Kind, "type", typ, "condition", e.Condition)
}

// lookAfter has the queue look again when a time has passed.
func (q *Queue) lookAfter(d time.Duration) {
	q.Close()
	q.retry.timer = q.conv.LookAfter(d, conversation.Outbox)
}

// Outcome of Echo.
type Outcome int

// The outcomes of Echo.
const (
	NoEcho   Outcome = iota // the message is not the echo of anything known
	HeldEcho                // it may be that of the call whose outcome is not known
	OurEcho                 // it is, and the call is done
)

// Echo reports whether a new message by a local user, which a login has brought, is that of the first call. The nonce
// alone does not say so: whoever sees the message on the network sees its nonce too.
func (q *Queue) Echo(ctx context.Context, login transports.LoginID, e transports.Event) Outcome {
	if !q.Calling() {
		return NoEcho
	}
	m, message := e.Body.(transports.Message)
	l := q.outbox.logins.ByID(q.pending[0].Login)
	if q.call != nil || !message || l == nil || !(begun{login: l.ID, user: l.User}).from(login, e) {
		return HeldEcho
	}
	return q.echoOf(ctx, e.Nonce, echo{m.ID, e.At})
}

// echoOf ends the first call if the nonce is its own.
func (q *Queue) echoOf(ctx context.Context, nonce string, e echo) Outcome {
	head := q.pending[0]
	if convert.Kind(head.Kind) != convert.SendMessage || nonce == "" || nonce != q.outbox.nonces.Of(head, head.Part) {
		return HeldEcho
	}
	request := decode(head)
	row := mapping(q.conv.Row, head, request, transports.Sent{ID: e.id, At: e.at}, head.Part)
	if l := q.outbox.logins.ByID(head.Login); l != nil {
		row.Author = l.User
	}
	q.outbox.relation(ctx, q.conv.Row, head.Sender, request).note(&row)
	q.partDone(ctx, &tables.Batch{Messages: tables.MessageBatch{Mappings: []tables.Mapping{row}}}, request)
	return OurEcho
}

// notice sends a user something in the conversation that it concerns.
func (q *Queue) notice(to jid.JID, text string) {
	from, typ, err := q.address()
	if err != nil {
		return
	}
	if q.conv.Direct() {
		q.env.Send(stanza.NewMessage(to.Bare(), from, typ, convert.Body("["+text+"]")))
		return
	}
	sessions := q.room.SessionsOf(to)
	for _, s := range sessions {
		q.room.Send(stanza.NewMessage(s, from, typ, convert.Body(text), message.NoStore.Element()))
	}
	if len(sessions) == 0 {
		q.env.Notify(to, convert.RoomTitle(q.conv.Row)+" ("+from.String()+"): "+text)
	}
}
