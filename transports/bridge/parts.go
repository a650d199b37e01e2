package bridge

import (
	"context"

	"github.com/dragoman-im/dragoman/core/mailbox"
	"github.com/dragoman-im/dragoman/transports/bridge/conversation"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/inbox"
	"github.com/dragoman-im/dragoman/transports/bridge/outbox"
	"github.com/dragoman-im/dragoman/transports/bridge/rooms"
)

// parts are the room, the outbox queue and the event processor of one conversation. They run in the goroutine of its
// mailbox.
type parts struct {
	env    *gateway.Env
	room   *rooms.Room
	calls  *outbox.Queue
	events *inbox.Processor
}

func (g *Gateway) newParts(c *conversation.Conversation) conversation.Parts {
	p := &parts{env: g.env, room: g.xmpp.rooms.Room(c)}
	p.calls = g.flow.outbox.Queue(c, p.room)
	p.room.Connect(p.calls)
	p.events = g.flow.processing.Processor(c, p.room, p.calls)
	return p
}

// Load implements conversation.Parts.
func (p *parts) Load(ctx context.Context) error {
	p.room.Load()
	return p.calls.Load(ctx)
}

// Work implements conversation.Parts. It stores the calls that were accepted since the last time, then processes events,
// then makes the next call: an event may be the echo of the previous call.
func (p *parts) Work(ctx context.Context, look mailbox.Marks) {
	due := look.Has(conversation.Outbox)
	p.guard("storing calls", func() { due = p.calls.Store(ctx) || due })
	p.room.EndRound()
	if look.Has(conversation.Inbox) {
		p.guard("events", func() { p.events.Work(ctx) })
	}
	if due {
		p.guard("calls", func() { p.calls.Work(ctx) })
	}
	p.room.EndRound()
}

// guard keeps a panic in one step from ending the others.
func (p *parts) guard(step string, f func()) {
	defer p.env.Recover(step)
	f()
}

// Disposable implements conversation.Parts.
func (p *parts) Disposable() bool {
	return p.room.Disposable() && p.calls.Disposable() && p.events.Disposable()
}

// Close implements conversation.Parts.
func (p *parts) Close() {
	p.calls.Close()
	p.room.Close()
}

// described has a conversation read its row again that the list of rooms has changed, and then its links.
func (g *Gateway) described(id int64) {
	g.flow.conversations.EnqueueAlways(id, func(ctx context.Context, c *conversation.Conversation) {
		c.Parts.(*parts).room.Reread(ctx)
		g.xmpp.links.Described(id)
	})
}

// enqueue queues a job for the parts of a conversation; false where too many wait, or the gateway stops.
func (g *Gateway) enqueue(id int64, job func(ctx context.Context, p *parts)) bool {
	return g.flow.conversations.Enqueue(id, func(ctx context.Context, c *conversation.Conversation) {
		job(ctx, c.Parts.(*parts))
	})
}
