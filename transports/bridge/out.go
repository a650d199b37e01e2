package bridge

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// meaning finds out what a stanza wants done on the network. An empty kind is nothing.
func (w *worker) meaning(ctx context.Context, o outgoing) (kind string, data outData, err error) {
	st := o.st
	switch {
	case o.subject != nil:
		return w.outTopic(*o.subject)
	case encrypted(st):
		return "", data, stanza.NotAcceptable(w.g.info.Name + " cannot read encrypted messages. Please turn encryption off here.")
	case st.Child(nsRetract, "retract") != nil:
		return w.outDelete(ctx, o, st.Child(nsRetract, "retract").Attr("id"))
	case st.Child(nsReactions, "reactions") != nil:
		return w.outReact(ctx, o, st.Child(nsReactions, "reactions"))
	case st.Child(nsCorrect, "replace") != nil && st.Child("", "body") != nil:
		return w.outEdit(ctx, o, st.Child(nsCorrect, "replace").Attr("id"))
	case st.Child("", "body") != nil:
		data, err = w.textOf(o)
		return outMessage, data, err
	case st.Child(nsMarkers, "displayed") != nil:
		return w.outRead(ctx, o, st.Child(nsMarkers, "displayed").Attr("id"))
	}
	return "", data, nil
}

// encrypted tells whether the body only says that there is something one cannot read (XEP-0380).
func encrypted(st *stanza.Stanza) bool {
	for e := range st.Tree().Elements() {
		switch e.Space {
		case "urn:xmpp:eme:0", "eu.siacs.conversations.axolotl", "urn:xmpp:omemo:2", "urn:xmpp:openpgp:0", "jabber:x:encrypted":
			return true
		}
	}
	return false
}

// target is the message that a stanza changes: in the map, or still in the outbox.
type target struct {
	stanza string // of its first version
	sender string // bare JID where it came from XMPP
	author transports.UserID
	ids    []tables.Mapping
	gone   bool
}

// find looks for the message that an id of XMPP names. Clients choose their ids: of several
// messages with one the sender's own is meant, sent or still waiting.
func (w *worker) find(ctx context.Context, id string, sender jid.JID) (target, bool, error) {
	if id == "" || len(id) > 4*maxID {
		return target{}, false, nil
	}
	who := sender.Bare().String()
	rows, err := w.g.store.ByStanzaID(ctx, w.id, id, who)
	if err == nil && len(rows) > 0 && rows[0].First != "" {
		rows, err = w.g.store.ByStanzaID(ctx, w.id, rows[0].First, who)
	}
	if err != nil {
		return target{}, false, err
	}
	var sent target
	if len(rows) > 0 {
		r := rows[0]
		sent = target{stanza: r.Stanza, sender: r.Sender, author: r.Author, ids: rows, gone: r.Deleted}
		if r.Sender == who || r.Stanza == id {
			return sent, true, nil
		}
	}
	waiting, ok, err := w.findWaiting(ctx, id, who)
	if err != nil || ok && (len(rows) == 0 || waiting.sender == who) {
		return waiting, ok, err
	}
	return sent, len(rows) > 0, nil
}

// findWaiting looks among the messages that were not sent yet.
func (w *worker) findWaiting(ctx context.Context, id, who string) (t target, ok bool, err error) {
	for _, a := range w.accepted {
		if a.row.Message != id && a.row.Stanza != id {
			continue
		}
		if t, ok = w.targetOf(a.row, a.data), true; t.sender == who {
			return t, true, nil
		}
	}
	row, kept, err := w.g.store.CallByStanza(ctx, w.id, id, who)
	if err != nil || !kept || row.State == tables.CallFailed {
		return t, ok, err
	}
	if other := w.targetOf(row, decodeOut(row)); !ok || other.sender == who {
		t = other
	}
	return t, true, nil
}

// targetOf is a message that has not been sent yet; a correction stands for its first version.
func (w *worker) targetOf(row tables.Call, data outData) target {
	t := target{stanza: row.Stanza, sender: row.Sender.Bare().String()}
	if row.Kind == outEdit {
		t.stanza = data.Target
	}
	return t
}

// mine tells whether a message is the user's own.
func (t target) mine(o outgoing) bool {
	return t.sender == o.from.Bare().String() || t.sender == "" && t.author != "" && t.author == o.account.user
}

// netOf is the network's id of a message that an id of XMPP names: its first part.
func (c *call) netOf(ctx context.Context, id string) transports.MessageID {
	rows, err := c.parts(ctx, id)
	if err != nil || len(rows) == 0 {
		return ""
	}
	return rows[0].Net
}

// parts are the messages of the network that an id of XMPP names, those deleted left out.
func (c *call) parts(ctx context.Context, id string) ([]tables.Mapping, error) {
	if id == "" {
		return nil, nil
	}
	sender := c.row.Sender.Bare().String()
	rows, err := c.g.store.ByStanzaID(ctx, c.room.ID, id, sender)
	if err == nil && len(rows) > 0 && rows[0].First != "" {
		rows, err = c.g.store.ByStanzaID(ctx, c.room.ID, rows[0].First, sender)
	}
	kept := rows[:0]
	for _, r := range rows {
		if !r.Deleted {
			kept = append(kept, r)
		}
	}
	return kept, err
}
