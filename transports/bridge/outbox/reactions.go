package outbox

import (
	"context"
	"slices"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// react makes the difference between what is set and what is wanted, one reaction at a time and removals first, since
// the network may limit how many there are. One that is refused does not keep the others from being made.
func (c *call) react(ctx context.Context, r *result) error {
	reactor, ok := c.client.(transports.Reactor)
	parts, err := c.parts(ctx, c.request.Target)
	switch {
	case !ok:
		return transports.Refuse("feature-not-implemented", c.network()+" has no reactions.", nil)
	case err != nil:
		return err
	case len(parts) == 0:
		return transports.Refuse("item-not-found", "The message that you react to was not sent.", nil)
	}
	to := reacting{call: c, reactor: reactor, net: parts[0].Net, result: r}
	kept, err := c.outbox.messages.Reactions(ctx, c.room.ID, to.net, c.user)
	if err != nil {
		return err
	}
	to.set = convert.ReactionSet(kept)
	wanted := convert.ReactionSet(c.request.Emoji)
	repeated := slices.Equal(slices.Sorted(slices.Values(to.set)), slices.Sorted(slices.Values(wanted)))
	for _, emoji := range slices.Clone(to.set) {
		if !slices.Contains(wanted, emoji) {
			if err := to.remove(ctx, emoji); err != nil {
				return err
			}
		}
	}
	var refused error
	for _, emoji := range wanted {
		if !repeated && slices.Contains(to.set, emoji) {
			continue
		}
		if err := to.add(ctx, emoji); err != nil {
			if transports.ClassOf(err) != transports.Refused {
				return err
			}
			refused = err
		}
	}
	return refused
}

// reacting is a set of reactions while it is changed.
type reacting struct {
	call    *call
	reactor transports.Reactor
	net     transports.MessageID
	set     []string
	result  *result
}

func (t *reacting) row(emoji string) tables.Reaction {
	return tables.Reaction{Room: t.call.room.ID, Net: t.net, User: t.call.user, Emoji: emoji}
}

func (t *reacting) remove(ctx context.Context, emoji string) error {
	rest := slices.DeleteFunc(slices.Clone(t.set), func(e string) bool { return e == emoji })
	err := t.reactor.React(ctx, t.call.ref(t.net), transports.ReactionChange{Remove: []string{emoji}, All: rest})
	if err != nil {
		return err
	}
	t.set = rest
	b := &t.result.batch
	b.ReactionsRemoved = append(b.ReactionsRemoved, t.row(emoji))
	b.Echoes = append(b.Echoes, t.call.expect(t.net, ReactionEcho(emoji, false)))
	return nil
}

// add sets a reaction. One that should be there already is set again without an echo: somebody who repeats their
// reactions may see that the network has lost one.
func (t *reacting) add(ctx context.Context, emoji string) error {
	again := slices.Contains(t.set, emoji)
	all := t.set
	if !again {
		all = append(slices.Clone(t.set), emoji)
	}
	b := &t.result.batch
	err := t.reactor.React(ctx, t.call.ref(t.net), transports.ReactionChange{Add: []string{emoji}, All: all})
	if err != nil {
		if again && transports.ClassOf(err) == transports.Refused {
			b.ReactionsRemoved = append(b.ReactionsRemoved, t.row(emoji))
		}
		return err
	}
	t.set = all
	if !again {
		b.Reactions = append(b.Reactions, t.row(emoji))
		b.Echoes = append(b.Echoes, t.call.expect(t.net, ReactionEcho(emoji, true)))
	}
	return nil
}

// takeBack shows a room the reactions that the network has, after it has refused others that the room was shown. Where the
// sender has changed them again since, the outcome of that call is awaited.
func (q *Queue) takeBack(ctx context.Context, c tables.Call) {
	request := decode(c)
	l := q.outbox.logins.ByID(c.Login)
	if convert.Kind(c.Kind) != convert.SendReact || q.conv.Direct() || l == nil || q.reactsAgain(c, request.Target) {
		return
	}
	rows, err := q.outbox.byStanza(ctx, q.conv.ID, request.Target, c.Sender.Bare().String())
	if err != nil || len(rows) == 0 || rows[0].Deleted {
		return
	}
	set, err := q.outbox.messages.Reactions(ctx, q.conv.ID, rows[0].Net, l.User)
	if err != nil {
		return
	}
	page, err := q.outbox.archive.ReadArchive(ctx, q.conv.ID, archive.Filter{IDs: []string{c.Stanza}}, archive.Page{Max: 1})
	if err != nil || len(page.Rows) == 0 {
		return
	}
	shown, now := page.Rows[0], q.env.Now()
	id := convert.Hash(c.Stanza, "refused")
	post := room.Post{
		From: shown.Occupant, Nick: shown.Nick, ID: id, StanzaID: id,
		Payload: stanza.Encode(convert.Reactions(convert.Reference(false, rows[0]), convert.ReactionSet(set))...),
	}
	row := tables.Archived{
		Seq: q.env.Next(), Room: q.conv.ID, ID: id, Message: id, At: now, Nick: post.Nick, Occupant: post.From, Payload: post.Payload,
	}
	if q.conv.Persist(ctx, &tables.Batch{Archive: []tables.Archived{row}}) {
		q.room.Broadcast(post)
	}
}

// reactsAgain reports whether a later call of the same person sets the reactions to a message.
func (q *Queue) reactsAgain(c tables.Call, target string) bool {
	for _, later := range q.pending {
		if later.Seq > c.Seq && later.Kind == c.Kind && later.Login == c.Login && decode(later).Target == target {
			return true
		}
	}
	return slices.ContainsFunc(q.accepted, func(a accepted) bool {
		return a.call.Kind == c.Kind && a.call.Login == c.Login && a.request.Target == target
	})
}
