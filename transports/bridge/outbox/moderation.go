package outbox

import (
	"slices"

	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// checkModeration is about a message of anybody that a moderator of a linked room has removed there (XEP-0425). Being a moderator of a room
// gives nobody a right in the channel: what the login may do there decides.
func (q *Queue) checkModeration(w written, r convert.Request, t target) (convert.Request, error) {
	caps := w.login.Caps(q.conv.Row.Net)
	ours := t.author != "" && t.author == w.login.User // under whatever name
	switch {
	case !t.found:
		return convert.Request{}, nil // it is removed already
	case !caps.Delete, !ours && !caps.Moderate:
		return r, stanza.FeatureNotImplemented(q.env.Info.Name + " does not let the account of the link remove this message.")
	}
	r.Target = t.stanza
	return r, nil
}

// moderation is a removal by a moderator of a linked room that the network has carried out.
type moderation struct {
	post room.Post
	rows []tables.Archived // the removal, and the tombstone of the message
}

// moderated is what the room is shown and the archive gets after a call for a moderator of a linked room, if the batch has the deletion of the
// message; nil for any other call. Nothing is stored or shown before the network has removed the message: it may refuse.
func (q *Queue) moderated(c tables.Call, r convert.Request, b *tables.Batch) *moderation {
	if r.Linked == nil || r.Linked.Content == "" || len(b.Messages.Deleted) == 0 {
		return nil
	}
	now, content := q.env.Now(), &stanza.Stanza{Kind: stanza.Message, Payload: r.Linked.Content}
	tombstone := convert.Tombstone(c.Message, now, slices.Collect(content.Tree().Elements())...)
	return &moderation{
		post: room.Post{ID: c.Message, StanzaID: c.Stanza, Payload: content.Payload},
		rows: []tables.Archived{
			{Seq: q.env.Next(), Room: q.conv.ID, ID: c.Stanza, Message: c.Message, At: now, Payload: content.Payload},
			{Room: q.conv.ID, Retract: r.Target, ID: c.Stanza, At: now, Payload: tombstone},
		},
	}
}
