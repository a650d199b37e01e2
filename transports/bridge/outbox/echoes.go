package outbox

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// maxEchoes is how many messages of ours are remembered, the latest ones.
const maxEchoes = 4096

// echoes recognises the echo of a message by its nonce, so that it need not be stored as an event: all that
// it says is in the call, or comes as its outcome.
type echoes struct {
	mu    sync.Mutex
	by    map[string]begun // by our id of the message
	order []string         // a ring of the ids, the oldest at next
	next  int
}

// begun is a call that may have an echo.
type begun struct {
	queue *Queue
	login transports.LoginID
	user  transports.UserID
}

// from reports whether an event that a login has brought can be the echo of the call: ids of messages are
// not secret, so that another user could send one.
func (b begun) from(login transports.LoginID, e transports.Event) bool {
	return e.Actor != "" && e.Actor == b.user || e.Own && login == b.login
}

func (e *echoes) add(id string, call begun) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.by == nil {
		e.by, e.order = map[string]begun{}, make([]string, maxEchoes)
	}
	if _, again := e.by[id]; !again {
		delete(e.by, e.order[e.next])
		e.order[e.next] = id
		e.next = (e.next + 1) % maxEchoes
	}
	e.by[id] = call
}

func (e *echoes) find(id string) (call begun, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	call, ok = e.by[id]
	return call, ok
}

// echo is the message of the network that a call has become, as an event says.
type echo struct {
	id transports.MessageID
	at time.Time
}

// IsEcho reports whether a message is that of a call which was begun in the conversation since the start. Then Echo has
// to be called with it, once all events before it are durable. It is only so where the network recognises a
// call that is repeated, since a crash forgets the echo.
func (o *Outbox) IsEcho(conversation int64, login transports.LoginID, e transports.Event) bool {
	if _, message := e.Body.(transports.Message); !message || e.Nonce == "" || !o.env.Info.Caps.Repeatable {
		return false
	}
	call, ok := o.echoes.find(e.Nonce)
	return ok && call.queue.conv.ID == conversation && call.from(login, e)
}

// Echo takes such a message.
func (o *Outbox) Echo(e transports.Event) {
	o.env.Counters.Echoes.Add(1)
	m, message := e.Body.(transports.Message)
	if call, ok := o.echoes.find(e.Nonce); ok && message {
		q := call.queue
		q.conv.Enqueue(func(ctx context.Context) { q.takeEcho(ctx, e.Nonce, echo{m.ID, e.At}) })
	}
}

// takeEcho ends the call of an echo where its outcome is not known, or keeps the echo for when the call ends.
func (q *Queue) takeEcho(ctx context.Context, nonce string, e echo) {
	if !q.conv.Exists() {
		return
	}
	if q.conv.Current() { // else earlier events are yet to be read
		q.progress = &tables.Progress{Room: q.conv.ID, Last: e.id, At: e.at}
	}
	switch {
	case q.call != nil && nonce == q.outbox.nonces.Of(q.call.row, q.call.row.Part):
		q.call.echo = &e
	case q.call == nil && q.Calling():
		q.echoOf(ctx, nonce, e)
	}
}

// addProgress moves the start of the next backfill behind the last echo, together with another change.
func (q *Queue) addProgress(b *tables.Batch) {
	p := q.progress
	q.progress = nil
	if p == nil || !q.conv.Current() || p.At.Before(q.conv.Row.LastAt) {
		return
	}
	q.conv.Row.Last, q.conv.Row.LastAt = p.Last, p.At
	b.Inbox.Progress = append(b.Inbox.Progress, *p)
}

// EditEcho is the kind of the echoes of edits. The network reports changes of ours as events, which may come late, when
// the next change was made already: so there is one for each change, in their order.
const EditEcho = "edit"

// ReactionEcho is the kind of the echoes of a reaction that is added or removed.
func ReactionEcho(emoji string, added bool) string {
	if added {
		return "reaction + " + emoji
	}
	return "reaction - " + emoji
}

// TopicEcho is the kind of the echoes of a topic.
func TopicEcho(topic string) string { return "topic " + convert.Hash(topic) }

// IsEcho reports whether an echo is of a kind.
func IsEcho(e tables.Echo, kind string) bool {
	return e.Kind == kind || strings.HasPrefix(e.Kind, kind+" ")
}

// expect makes the row of an echo of the call.
func (c *call) expect(net transports.MessageID, kind string) tables.Echo {
	until := c.outbox.env.Now().Add(c.outbox.env.Settings.EchoWait)
	return tables.Echo{Room: c.room.ID, Net: net, Kind: fmt.Sprintf("%s %020d", kind, c.row.Seq), Until: until}
}

// maxEdited is how many attempts of one edit are thought to have been made by the network.
const maxEdited = 16

// expectEdits makes the rows of the echoes of an edit: one for each attempt, since the network reports each one that it has
// made, also one whose answer was lost or came to a process that was killed.
func (c *call) expectEdits(net transports.MessageID) []tables.Echo {
	var list []tables.Echo
	for attempt := max(1, c.row.Attempt-maxEdited+1); attempt <= c.row.Attempt; attempt++ {
		e := c.expect(net, EditEcho)
		e.Kind = fmt.Sprintf("%s %06d", e.Kind, attempt)
		list = append(list, e)
	}
	return list
}

// settle makes a success of a call whose outcome is not known, or that has brought no id, but whose echo has come.
func (c *call) settle(r result) result {
	class := transports.ClassOf(r.err)
	unclear := r.err != nil && (class == transports.Retry || class == transports.Unknown)
	if c.echo == nil || !unclear || c.request.Kind != convert.SendMessage {
		return r
	}
	c.mapSent(&r, transports.Sent{ID: c.echo.id, At: c.echo.at}, c.row.Part)
	r.err = nil
	return r
}
