package bridge

import (
	"context"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
)

// outRead moves the account's read mark (XEP-0333).
func (w *worker) outRead(ctx context.Context, o outgoing, id string) (string, outData, error) {
	if !w.g.info.Caps.Read {
		return "", outData{}, nil
	}
	t, ok, err := w.find(ctx, id, o.from)
	if err != nil || !ok || len(t.ids) == 0 {
		return "", outData{}, err
	}
	return outRead, outData{Target: t.stanza}, nil
}

func (c *call) read(ctx context.Context, out *outcome) {
	reader, ok := c.session.(transports.Reader)
	parts, err := c.parts(ctx, c.data.Target)
	if !ok || err != nil || len(parts) == 0 {
		out.err = err
		return
	}
	out.err = reader.MarkRead(ctx, c.room.Net, transports.Read{ID: parts[len(parts)-1].Net})
}

// outTopic changes the room's topic (XEP-0045 §8.1).
func (w *worker) outTopic(topic string) (string, outData, error) {
	if !w.g.info.Caps.CanChange(transports.ChangeTopic) {
		return "", outData{}, stanza.NotAllowed("The topic cannot be changed from here.")
	}
	return outTopic, outData{Topic: topic}, nil
}

func (c *call) topic(ctx context.Context, out *outcome) {
	changer, ok := c.session.(transports.Changer)
	if !ok {
		out.err = transports.Refuse("not-allowed", "The topic cannot be changed from here.", nil)
		return
	}
	_, out.err = changer.Apply(ctx, transports.Change{Kind: transports.ChangeTopic, Room: c.room.Net, Text: c.data.Topic})
}
