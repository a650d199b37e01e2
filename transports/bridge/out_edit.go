package bridge

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// outEdit is a correction of any earlier message of the user (XEP-0308).
func (w *worker) outEdit(ctx context.Context, o outgoing, id string) (string, outData, error) {
	t, ok, err := w.find(ctx, id, o.from)
	switch {
	case err != nil:
		return "", outData{}, err
	case !ok || t.gone:
		return "", outData{}, stanza.ItemNotFound("The message that you correct is not known here.")
	case !t.mine(o):
		return "", outData{}, stanza.Forbidden("Only its author may correct a message.") // XEP-0308 §4
	}
	data, err := w.textOf(o)
	if err != nil {
		return "", data, err
	}
	if !w.g.info.Caps.Edit { // said again rather than not at all
		data.Parts[0] = append(richtext.Text{{Text: "(corrected) "}}, data.Parts[0]...)
		return outMessage, data, nil
	}
	if window := w.g.info.Caps.EditWindow; window > 0 && len(t.ids) > 0 && w.g.now().Sub(t.ids[0].At) > window {
		return "", data, stanza.NotAcceptable(fmt.Sprintf("%s allows corrections for %s only.", w.g.info.Name, window))
	}
	if limit := w.g.info.Caps.MaxEdit; limit > 0 && (w.g.info.Caps.MaxText == 0 || limit < w.g.info.Caps.MaxText) {
		var whole richtext.Text
		for i, p := range data.Parts {
			if i > 0 {
				whole = append(whole, richtext.Node{Kind: richtext.Break})
			}
			whole = append(whole, p...)
		}
		data.Parts = richtext.Cutter{Limit: limit, Parts: maxParts}.Split(whole)
	}
	data.Target = t.stanza
	return outEdit, data, nil
}

// edit changes the parts of a message. Where the new text has more parts the rest is sent
// behind; where it has fewer, what is left over is deleted.
func (c *call) edit(ctx context.Context, out *outcome) {
	editor, ok := c.session.(transports.Editor)
	if !ok {
		out.err = transports.Refuse("feature-not-implemented", c.g.info.Name+" cannot change messages.", nil)
		return
	}
	old, err := c.parts(ctx, c.data.Target)
	if err != nil {
		out.err = err
		return
	}
	if len(old) == 0 {
		out.err = transports.Refuse("item-not-found", "The message that you correct was not sent.", nil)
		return
	}
	for i, text := range c.data.Parts {
		if i < len(old) {
			if out.err = editor.Edit(ctx, c.ref(old[i].Net), c.outgoing(text)); out.err != nil {
				return
			}
			out.echoes = append(out.echoes, c.awaited(old[i].Net, echoEdit))
			c.alias(out, old[i], i)
			continue
		}
		m := c.outgoing(text)
		m.ClientID = c.g.clientID(c.row, i)
		sent, err := c.session.Send(ctx, m)
		if err != nil {
			out.err = err
			return
		}
		first := c.row
		first.Stanza, first.Message = old[0].Stanza, old[0].Origin
		c.keepFirst(out, first, sent, len(old)+i)
	}
	c.dropRest(ctx, out, old)
}

// alias lets later stanzas refer to the correction as well as to the first message.
func (c *call) alias(out *outcome, old tables.Mapping, part int) {
	row := idRow(c.room, c.row, c.data, transports.Sent{ID: old.Net}, part)
	row.First, row.Author = old.Stanza, old.Author
	out.ids = append(out.ids, row)
}

// keepFirst maps a further part to the first version of the message.
func (c *call) keepFirst(out *outcome, first tables.Call, sent transports.Sent, part int) {
	row := idRow(c.room, first, c.data, sent, part)
	row.Author = c.user
	out.ids = append(out.ids, row)
}

func (c *call) dropRest(ctx context.Context, out *outcome, old []tables.Mapping) {
	if len(old) <= len(c.data.Parts) {
		return
	}
	deleter, ok := c.session.(transports.Deleter)
	for _, r := range old[len(c.data.Parts):] {
		if !ok {
			editor := c.session.(transports.Editor)
			if out.err = editor.Edit(ctx, c.ref(r.Net), c.outgoing(richtext.FromPlain("…"))); out.err != nil {
				return
			}
			out.echoes = append(out.echoes, c.awaited(r.Net, echoEdit))
			continue
		}
		if out.err = deleter.Delete(ctx, c.ref(r.Net)); out.err != nil {
			return
		}
		out.gone = append(out.gone, r.Net)
	}
}

// awaited is an event that the network will send because of what we did.
func (c *call) awaited(net transports.MessageID, kind string) tables.Echo {
	return tables.Echo{Room: c.room.ID, Net: net, Kind: kind, Until: c.g.now().Add(c.g.set.EchoWait)}
}
