package outbox

import (
	"context"
	"errors"
	"slices"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// send sends one part of a message.
func (c *call) send(ctx context.Context, r *result) error {
	if c.row.Part >= len(c.request.Parts) {
		return nil
	}
	m := c.outgoing(c.request.Parts[c.row.Part])
	m.Author = c.author(ctx)
	if c.row.Part == 0 {
		m.Text = c.named(m.Text, m.Author)
		m.Me = m.Me && (c.request.Linked == nil || m.Author != nil)
	}
	c.relation = c.outbox.relation(ctx, c.room, c.row.Sender, c.request)
	if c.row.Part > 0 {
		c.relation = c.relation.further()
	}
	c.relation.put(&m)
	sent, err := c.sendWithFiles(ctx, m, r)
	if err == nil && sent.Pending {
		return transports.Later(c.outbox.env.Settings.EchoWait, errPending)
	}
	if err == nil {
		c.mapSent(r, sent, c.row.Part)
	}
	return err
}

// errPending is of a message that the network has taken without an id: its echo settles the call.
var errPending = errors.New("the echo of the message has not come yet")

// outgoing is what the network is given, the same at every attempt.
func (c *call) outgoing(text richtext.Text) transports.Outgoing {
	return transports.Outgoing{
		Room: c.room.Net, ClientID: c.outbox.nonces.Of(c.row, c.row.Part), Attempt: c.row.Attempt, Since: c.row.Since,
		Text: text, Me: c.request.Me, Known: c.known,
	}
}

// known reports whether a message of the network has an id here.
func (c *call) known(id transports.MessageID) bool {
	ctx, cancel := context.WithTimeout(context.Background(), gateway.LookupTimeout)
	defer cancel()
	rows, err := c.outbox.messages.ByNetworkID(ctx, c.room.ID, id)
	return err == nil && len(rows) > 0
}

// author is under whose name a message goes out, where the login can write for others in that room.
func (c *call) author(ctx context.Context) *transports.Author {
	if !c.outbox.env.Info.Caps.Relay || c.room.Direct() {
		return nil
	}
	relayer, ok := c.client.(transports.Relayer)
	if !ok || !relayer.CanRelay(ctx, c.room.Net) {
		return nil
	}
	return &transports.Author{Name: c.authorName()}
}

// ref names a message of the network in the call's room.
func (c *call) ref(id transports.MessageID) transports.MessageRef {
	whole, part := convert.SplitPartID(id)
	return transports.MessageRef{Room: c.room.Net, ID: whole, Part: part}
}

// parts are the messages of the network that an id of XMPP names, without those that were deleted.
func (c *call) parts(ctx context.Context, id string) ([]tables.Mapping, error) {
	if id == "" {
		return nil, nil
	}
	rows, err := c.outbox.byStanza(ctx, c.room.ID, id, c.row.Sender.Bare().String())
	return slices.DeleteFunc(rows, func(m tables.Mapping) bool { return m.Deleted }), err
}

// mapSent ties what a part has become to its stanza.
func (c *call) mapSent(r *result, sent transports.Sent, part int) {
	for _, id := range append([]transports.MessageID{sent.ID}, sent.More...) {
		if id == "" {
			continue
		}
		row := mapping(c.room, c.row, c.request, transports.Sent{ID: id, At: sent.At}, part)
		row.Author = c.user
		c.relation.note(&row)
		r.batch.Mappings = append(r.batch.Mappings, row)
	}
}

// mapping ties a message of the network to the stanza of a call.
func mapping(room tables.Room, c tables.Call, request convert.Request, sent transports.Sent, part int) tables.Mapping {
	at := sent.At
	if at.IsZero() {
		at = c.Since
	}
	return tables.Mapping{
		Room: room.ID, Net: sent.ID, Stanza: c.Stanza, Origin: c.Message, Part: part,
		Sender: c.Sender.Bare().String(), At: at, Text: request.Text,
	}
}

// edit changes the parts of a message. Where the new text has more parts the rest is sent
// behind; where it has fewer, what is left over is deleted.
func (c *call) edit(ctx context.Context, r *result) error {
	editor, ok := c.client.(transports.Editor)
	if !ok {
		return transports.Refuse("feature-not-implemented", c.network()+" cannot change messages.", nil)
	}
	old, err := c.parts(ctx, c.request.Target)
	if err != nil {
		return err
	}
	if len(old) == 0 {
		return transports.Refuse("item-not-found", "The message that you correct was not sent.", nil)
	}
	c.relation = c.outbox.relationOf(ctx, old[0], c.row.Sender, c.room, c.request)
	cutter := richtext.Cutter{Limit: c.request.Limit, Length: c.outbox.env.Info.Caps.Length}
	part := 0
	for text := c.named(c.whole(), c.author(ctx)); part == 0 || len(text) > 0; part++ {
		head, gap, behind := cutter.First(text)
		var rest richtext.Text
		if part < len(old) {
			rest, err = c.editPart(ctx, editor, old[part], head, r)
		} else {
			err = c.addPart(ctx, old, head, part, r)
		}
		if err != nil {
			return err
		}
		if text = behind; len(rest) > 0 { // with the name of its author, for example, it is longer
			text = slices.Concat(rest, gap, behind)
		}
		c.relation = c.relation.further()
	}
	return c.dropRest(ctx, editor, old, part, r)
}

// whole is the text of a correction.
func (c *call) whole() (t richtext.Text) {
	for i, part := range c.request.Parts {
		if i > 0 {
			t = append(t, richtext.Node{Kind: richtext.Break})
		}
		t = append(t, part...)
	}
	return t
}

// addPart sends a part that a correction adds to a message.
func (c *call) addPart(ctx context.Context, old []tables.Mapping, text richtext.Text, part int, r *result) error {
	m := c.outgoing(text)
	m.Author = c.author(ctx)
	c.relation.put(&m)
	m.ClientID = c.outbox.nonces.Of(c.row, part)
	sent, err := c.client.Send(ctx, m)
	if err != nil {
		return err
	}
	first := *c
	first.row.Stanza, first.row.Message = old[0].Stanza, old[0].Origin
	first.mapSent(r, sent, len(old)+part)
	return nil
}

// editPart changes a part of a message. rest is what did not fit in it.
func (c *call) editPart(ctx context.Context, editor transports.Editor, old tables.Mapping, text richtext.Text, r *result) (rest richtext.Text, err error) {
	m := c.outgoing(text)
	m.Author = c.author(ctx)
	c.relation.put(&m)
	if rest, err = editor.Edit(ctx, c.ref(old.Net), m); err != nil {
		return nil, err
	}
	r.batch.Echoes = append(r.batch.Echoes, c.expectEdits(old.Net)...)
	row := mapping(c.room, c.row, c.request, transports.Sent{ID: old.Net}, old.Part) // later stanzas may refer to the correction
	row.First, row.Author = old.Stanza, old.Author
	c.relation.note(&row)
	r.batch.Mappings = append(r.batch.Mappings, row)
	return rest, nil
}

// dropRest removes the parts that a correction has no text for.
func (c *call) dropRest(ctx context.Context, editor transports.Editor, old []tables.Mapping, parts int, r *result) error {
	if len(old) <= parts {
		return nil
	}
	deleter, ok := c.client.(transports.Deleter)
	for _, part := range old[parts:] {
		if !ok {
			if _, err := c.editPart(ctx, editor, part, richtext.FromPlain("…"), r); err != nil {
				return err
			}
			continue
		}
		if err := deleter.Delete(ctx, c.ref(part.Net)); err != nil {
			return err
		}
		r.deleted = append(r.deleted, part.Net)
	}
	return nil
}

// delete removes all parts of a message.
func (c *call) delete(ctx context.Context, r *result) error {
	deleter, ok := c.client.(transports.Deleter)
	if !ok {
		return transports.Refuse("feature-not-implemented", c.network()+" cannot take messages back.", nil)
	}
	parts, err := c.parts(ctx, c.request.Target)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := deleter.Delete(ctx, c.ref(p.Net)); err != nil && !alreadyGone(err, c.row.Attempt) {
			return err
		}
		r.deleted = append(r.deleted, p.Net)
	}
	return nil
}

// alreadyGone reports whether a repeated delete failed because the first one had succeeded.
func alreadyGone(err error, attempt int) bool {
	return attempt > 1 && transports.ClassOf(err) == transports.Refused && convert.NetworkError(err).Condition == "item-not-found"
}

// read moves the login's read mark (XEP-0333).
func (c *call) read(ctx context.Context) error {
	reader, ok := c.client.(transports.Reader)
	parts, err := c.parts(ctx, c.request.Target)
	if !ok || err != nil || len(parts) == 0 {
		return err
	}
	last, _ := convert.SplitPartID(parts[len(parts)-1].Net)
	return reader.MarkRead(ctx, c.room.Net, transports.Read{ID: last})
}
