package bridge

import (
	"context"
	"slices"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// outReact is the user's whole set of reactions to a message (XEP-0444).
func (w *worker) outReact(ctx context.Context, o outgoing, x *stanza.Element) (string, outData, error) {
	if !w.g.info.Caps.React {
		return "", outData{}, stanza.FeatureNotImplemented(w.g.info.Name + " has no reactions.")
	}
	t, ok, err := w.find(ctx, x.Attr("id"), o.from)
	if err != nil {
		return "", outData{}, err
	}
	if !ok || t.gone {
		return "", outData{}, stanza.ItemNotFound("The message that you react to is not known here.")
	}
	data := outData{Target: t.stanza}
	for r := range x.Named(nsReactions, "reaction") {
		e := r.Text()
		if e == "" || len(e) > maxName || len(data.Emoji) >= maxReactions {
			return "", outData{}, stanza.NotAcceptable("These reactions cannot be sent.")
		}
		if !slices.Contains(data.Emoji, e) {
			data.Emoji = append(data.Emoji, e)
		}
	}
	return outReact, data, nil
}

// react makes the difference between what is set and what is wished.
func (c *call) react(ctx context.Context, out *outcome) {
	reactor, ok := c.session.(transports.Reactor)
	parts, err := c.parts(ctx, c.data.Target)
	switch {
	case !ok:
		out.err = transports.Refuse("feature-not-implemented", c.g.info.Name+" has no reactions.", nil)
		return
	case err != nil:
		out.err = err
		return
	case len(parts) == 0:
		out.err = transports.Refuse("item-not-found", "The message that you react to was not sent.", nil)
		return
	}
	net := parts[0].Net
	have, err := c.g.store.Reactions(ctx, c.room.ID, net, c.user)
	if err != nil {
		out.err = err
		return
	}
	add := slices.DeleteFunc(slices.Clone(c.data.Emoji), func(e string) bool { return slices.Contains(have, e) })
	remove := slices.DeleteFunc(slices.Clone(have), func(e string) bool { return slices.Contains(c.data.Emoji, e) })
	if len(add)+len(remove) == 0 {
		return
	}
	if out.err = reactor.React(ctx, c.ref(net), transports.ReactionChange{Add: add, Remove: remove, All: c.data.Emoji}); out.err != nil {
		return
	}
	for _, e := range add {
		out.react = append(out.react, tables.Reaction{Room: c.room.ID, Net: net, User: c.user, Emoji: e})
	}
	for _, e := range remove {
		out.unset = append(out.unset, tables.Reaction{Room: c.room.ID, Net: net, User: c.user, Emoji: e})
	}
}
