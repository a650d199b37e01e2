package outbox

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// relation is a message's thread and the message that it answers.
type relation struct {
	thread   transports.MessageID // the message that its thread hangs on
	replyTo  transports.MessageID
	answered *transports.Answered
}

// relation finds the messages that a request of a sender refers to. What answers a message of a thread belongs to that
// thread, also where the sender's client does not say so.
func (o *Outbox) relation(ctx context.Context, room tables.Room, sender jid.JID, r convert.Request) relation {
	find := func(id string) (m tables.Mapping, ok bool) {
		rows, err := o.byStanza(ctx, room.ID, id, sender.Bare().String())
		if err != nil || len(rows) == 0 {
			return m, false
		}
		return rows[0], true
	}
	var to relation
	if m, ok := find(r.ReplyTo); ok && !m.Deleted {
		to = o.replyTo(ctx, m)
	}
	if m, ok := find(r.Thread); ok {
		to.thread, _ = convert.SplitPartID(m.Net)
		if m.Thread != "" {
			to.thread = m.Thread
		}
	}
	return to
}

// replyTo is the relation of a message that answers m.
func (o *Outbox) replyTo(ctx context.Context, m tables.Mapping) relation {
	to := relation{thread: m.Thread, answered: &transports.Answered{Text: m.Text}}
	to.replyTo, _ = convert.SplitPartID(m.Net)
	if sender, err := jid.Parse(m.Sender); m.Sender != "" && err == nil {
		to.answered.Author = o.nicks.NickOf(sender)
	} else if m.Author != "" {
		to.answered.Author = o.nicks.NameOf(ctx, m.Author)
	}
	return to
}

// relationOf is the relation of a message that was sent, for its corrections: they stay in its thread, and answer what it
// answered where they do not say otherwise.
func (o *Outbox) relationOf(ctx context.Context, sent tables.Mapping, sender jid.JID, room tables.Room, r convert.Request) relation {
	to := o.relation(ctx, room, sender, convert.Request{ReplyTo: r.ReplyTo})
	if to.replyTo == "" && sent.Answers != "" {
		rows, err := o.messages.ByNetworkID(ctx, sent.Room, sent.Answers)
		if to = (relation{replyTo: sent.Answers}); err == nil && len(rows) > 0 && !rows[0].Deleted {
			to = o.replyTo(ctx, rows[0])
		}
	}
	to.thread = sent.Thread
	return to
}

// further is the relation of the parts behind the first one: they are in its thread.
func (to relation) further() relation { return relation{thread: to.thread} }

// put gives the relation to the network.
func (to relation) put(m *transports.Outgoing) {
	m.Thread, m.ReplyTo, m.Answered = to.thread, to.replyTo, to.answered
}

// note keeps the relation with the id of the message.
func (to relation) note(row *tables.Mapping) { row.Thread, row.Answers = to.thread, to.replyTo }
