package bridge

import (
	"context"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
)

// outDelete is a retraction of one's own message (XEP-0424).
func (w *worker) outDelete(ctx context.Context, o outgoing, id string) (string, outData, error) {
	t, ok, err := w.find(ctx, id, o.from)
	switch {
	case err != nil:
		return "", outData{}, err
	case !ok || t.gone:
		return "", outData{}, stanza.ItemNotFound("The message that you retract is not known here.")
	case !t.mine(o):
		return "", outData{}, stanza.Forbidden("Only its author may retract a message.") // XEP-0424 §4
	case !w.g.info.Caps.Delete:
		return "", outData{}, stanza.FeatureNotImplemented(w.g.info.Name + " cannot take messages back.")
	}
	return outDelete, outData{Target: t.stanza}, nil
}

// delete removes all parts of a message.
func (c *call) delete(ctx context.Context, out *outcome) {
	deleter, ok := c.session.(transports.Deleter)
	if !ok {
		out.err = transports.Refuse("feature-not-implemented", c.g.info.Name+" cannot take messages back.", nil)
		return
	}
	parts, err := c.parts(ctx, c.data.Target)
	if err != nil {
		out.err = err
		return
	}
	for _, p := range parts {
		if out.err = deleter.Delete(ctx, c.ref(p.Net)); out.err != nil && !alreadyGone(out.err, c.row.Attempt) {
			return
		}
		out.err = nil
		out.gone = append(out.gone, p.Net)
	}
}

// alreadyGone tells whether a repeated delete failed because the first one had succeeded.
func alreadyGone(err error, attempt int) bool {
	return attempt > 1 && transports.ClassOf(err) == transports.Refused && stanzaError(err).Condition == "item-not-found"
}
