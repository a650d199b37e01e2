package bridge

import (
	"context"

	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Message implements room.Owner.
func (o owner) Message(ctx context.Context, _ *room.Room, m room.Message) error {
	w := o.w
	a, seen := w.accountFor(ctx, m.Session)
	if a == nil || !seen.Joined {
		return stanza.Forbidden("You are not in this room on " + w.g.info.Name + ".")
	}
	if m.To != nil {
		peer, ok := w.occupants[m.To.ID]
		if !ok {
			return stanza.ItemNotFound("This person cannot be written to.")
		}
		st := m.Stanza.Copy()
		st.Type = stanza.TypeChat
		return w.g.sayTo(ctx, a, peer, st)
	}
	acc, again, err := w.receiveOut(ctx, outgoing{account: a, from: m.Session, st: m.Stanza, subject: m.Subject})
	switch {
	case err != nil:
		return err
	case again != nil:
		w.reflectAgain(m, *again)
		return nil
	case acc.row.Kind == "":
		p := m.Post("")
		p.Transient = true
		w.room.Broadcast(p)
		w.typing(a, m.Stanza)
		return nil
	}
	w.acceptSaid(ctx, m, acc)
	return nil
}

// acceptSaid prepares what the room sees once the message is durable.
func (w *worker) acceptSaid(ctx context.Context, m room.Message, acc accepted) {
	post := m.Post(acc.row.Stanza)
	archive := &tables.Archived{
		Seq: w.g.next(), Room: w.id, ID: acc.row.Stanza, Message: acc.row.Message, At: w.g.now(), Nick: m.From.Nick, Occupant: m.From.ID,
		Lang: post.Lang, Extra: post.Extra, Payload: post.Payload,
	}
	switch acc.row.Kind {
	case outTopic:
		acc.subject = &room.Subject{Text: acc.data.Topic, OccupantID: m.From.ID, Nick: m.From.Nick}
	case outRead:
		post.Transient = true
		acc.post = &post
	case outDelete:
		acc.tomb = &tables.Archived{Room: w.id, Retract: acc.data.Target, ID: acc.row.Stanza, At: w.g.now()}
		acc.post, acc.archive = &post, archive
	default:
		acc.post, acc.archive = &post, archive
	}
	w.accepted = append(w.accepted, acc)
	w.typed(m.Session)
}

// reflectAgain answers a client that sends again what we have: it alone sees it once more.
func (w *worker) reflectAgain(m room.Message, row tables.Call) {
	from, err := w.room.JID().WithResource(m.From.Nick)
	if err != nil {
		return
	}
	st := &stanza.Stanza{Kind: stanza.Message, To: m.Session, From: from, ID: m.Stanza.ID, Type: stanza.TypeGroupchat, Lang: m.Stanza.Lang, Extra: m.Stanza.Extra, Payload: m.Stanza.Payload}
	st.Payload += stanza.Encode(
		stanza.NewElement(room.NSOccupantID, "occupant-id").With("id", m.From.ID),
		stanza.NewElement(nsStanzaID, "stanza-id").With("id", row.Stanza).With("by", w.room.JID().String()))
	w.g.send(st)
}
