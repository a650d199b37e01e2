package bridge

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// textOf is a message's text without its fallbacks, cut into what the network takes.
func (w *worker) textOf(o outgoing) (outData, error) {
	text := o.st.Body()
	if len(text) > w.g.set.Text {
		return outData{}, stanza.NotAcceptable("This message is too long.")
	}
	var data outData
	if r := o.st.Child(nsReply, "reply"); r != nil && r.Attr("id") != "" {
		data.ReplyTo = r.Attr("id")
		text = stripFallback(o.st, nsReply, text)
	}
	data.Thread = cutBytes(o.st.Tree().ChildText("", "thread"), maxID)
	if rest, ok := strings.CutPrefix(text, "/me "); ok { // XEP-0245
		text, data.Me = rest, true
	}
	text = strings.TrimRight(text, "\n")
	if strings.TrimSpace(text) == "" {
		return outData{}, stanza.BadRequest("This message is empty.")
	}
	data.Text = snippet(text)
	data.Parts = richtext.Cutter{Limit: w.g.info.Caps.MaxText, Parts: maxParts}.Split(richtext.ParseStyling(text))
	if len(data.Parts) > maxParts {
		return outData{}, stanza.NotAcceptable("This message is too long.")
	}
	data.Receipt = o.st.Child(nsReceipts, "request") != nil && o.st.ID != ""
	return data, nil
}

// stripFallback takes out of a body what stands there for clients that do not know ns
// (XEP-0428 §3).
func stripFallback(st *stanza.Stanza, ns, text string) string {
	type span struct{ start, end int }
	var spans []span
	for f := range st.Tree().Named(nsFallback, "fallback") {
		if f.Attr("for") != ns {
			continue
		}
		for b := range f.Named(nsFallback, "body") {
			start, err1 := strconv.Atoi(b.Attr("start"))
			end, err2 := strconv.Atoi(b.Attr("end"))
			if err1 == nil && err2 == nil {
				spans = append(spans, span{start, end})
			}
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return b.start - a.start })
	last := int(^uint(0) >> 1)
	for _, s := range spans {
		if s.end <= last {
			text, last = cutRunes(text, s.start, s.end), s.start
		}
	}
	return text
}

// send sends one part of a message.
func (c *call) send(ctx context.Context, out *outcome) {
	if c.row.Part >= len(c.data.Parts) {
		return
	}
	m := c.outgoing(c.data.Parts[c.row.Part])
	m.Author = c.persona(ctx)
	if c.row.Part == 0 {
		m.ReplyTo = c.netOf(ctx, c.data.ReplyTo)
	}
	m.Thread = c.threadOf(ctx)
	sent, err := c.session.Send(ctx, m)
	if err != nil {
		out.err = err
		return
	}
	c.keepSent(out, sent, c.row.Part)
}

// outgoing is what the network is given, the same at every attempt.
func (c *call) outgoing(text richtext.Text) transports.Outgoing {
	return transports.Outgoing{
		Room: c.room.Net, ClientID: c.g.clientID(c.row, c.row.Part), Attempt: c.row.Attempt, Since: c.row.Since,
		Text: text, Me: c.data.Me, Known: c.known,
	}
}

// known tells whether a message of the network has an id here.
func (c *call) known(id transports.MessageID) bool {
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	rows, err := c.g.store.ByNetworkID(ctx, c.room.ID, id)
	return err == nil && len(rows) > 0
}

// threadOf finds the thread that a message is in: its id is that of the first message, as
// we told it or as the user's client made it.
func (c *call) threadOf(ctx context.Context) transports.MessageID {
	return c.netOf(ctx, c.data.Thread)
}

// keepSent maps what a part has become.
func (c *call) keepSent(out *outcome, sent transports.Sent, part int) {
	for _, id := range append([]transports.MessageID{sent.ID}, sent.More...) {
		if id == "" {
			continue
		}
		row := idRow(c.room, c.row, c.data, transports.Sent{ID: id, At: sent.At}, part)
		row.Author = c.user
		out.ids = append(out.ids, row)
	}
}

func idRow(room tables.Room, row tables.Call, data outData, sent transports.Sent, part int) tables.Mapping {
	at := sent.At
	if at.IsZero() {
		at = row.Since
	}
	return tables.Mapping{
		Room: room.ID, Net: sent.ID, Stanza: row.Stanza, Origin: row.Message, Part: part,
		Sender: row.Sender.Bare().String(), At: at, Text: data.Text,
	}
}

func decodeOut(row tables.Call) outData {
	var data outData
	_ = json.Unmarshal(row.Data, &data) // a row that is done has none
	return data
}
