package outbox

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// check finds the message that a request is about and whether the request may be made.
func (q *Queue) check(ctx context.Context, w written, r convert.Request) (convert.Request, error) {
	switch r.Kind {
	case convert.SendEdit, convert.SendDelete, convert.SendReact, convert.SendRead:
	default:
		return r, nil
	}
	t, ok, err := q.find(ctx, r.Target, w.from)
	if err != nil {
		return r, err
	}
	t.found = ok && !t.deleted
	switch r.Kind {
	case convert.SendEdit:
		return q.checkEdit(ctx, w, r, t)
	case convert.SendDelete:
		return q.checkDelete(w, r, t)
	case convert.SendReact:
		if !t.found {
			return r, stanza.ItemNotFound("The message that you react to is not known here.")
		}
	case convert.SendRead:
		if !t.found || len(t.parts) == 0 {
			return convert.Request{}, nil
		}
	}
	r.Target = t.stanza
	return r, nil
}

// checkEdit is about a correction of any earlier message of the user (XEP-0308).
func (q *Queue) checkEdit(ctx context.Context, w written, r convert.Request, t target) (convert.Request, error) {
	caps := w.login.Caps(q.conv.Row.Net)
	switch {
	case !t.found:
		return r, stanza.ItemNotFound("The message that you correct is not known here.")
	case !t.by(w, r.Linked != nil):
		return r, stanza.Forbidden("Only its author may correct a message.") // XEP-0308 §4
	case !caps.Edit: // sent again rather than not at all
		return r.AsMessage(), nil
	case q.late(t, caps.EditWindow):
		return r, stanza.NotAcceptable(fmt.Sprintf("%s allows corrections for %s only.", q.env.Info.Name, caps.EditWindow))
	}
	if n, err := q.corrections(ctx, t); err != nil {
		return r, err
	} else if caps.MaxEdits > 0 && n >= caps.MaxEdits {
		return r, stanza.NotAcceptable(fmt.Sprintf("%s allows %d corrections of a message.", q.env.Info.Name, caps.MaxEdits))
	}
	if t.own == "" { // the correction of a correction that waits
		first, ok, err := q.find(ctx, t.stanza, w.from)
		if err != nil {
			return r, err
		}
		if ok {
			t.own = first.own
		}
	}
	if len(r.Files) > 0 {
		had, err := q.filesOf(ctx, t)
		if err != nil {
			return r, err
		}
		r = r.CorrectFiles(had)
	}
	r = q.parser(w.login).FitEdit(r)
	r.Target, r.First = t.stanza, t.own
	return r, nil
}

// checkDelete is about a retraction of a message of the user (XEP-0424).
func (q *Queue) checkDelete(w written, r convert.Request, t target) (convert.Request, error) {
	caps := w.login.Caps(q.conv.Row.Net)
	if r.Linked != nil && r.Linked.Moderated {
		return q.checkModeration(w, r, t)
	}
	switch {
	case !t.found:
		return r, stanza.ItemNotFound("The message that you retract is not known here.")
	case !t.by(w, r.Linked != nil):
		return r, stanza.Forbidden("Only its author may retract a message.") // XEP-0424 §4
	case !caps.Delete:
		return r, stanza.FeatureNotImplemented(q.env.Info.Name + " cannot take messages back.")
	case q.late(t, caps.DeleteWindow):
		return r, stanza.NotAcceptable(fmt.Sprintf("%s allows retractions for %s only.", q.env.Info.Name, caps.DeleteWindow))
	}
	r.Target = t.stanza
	return r, nil
}

// corrections counts the corrections of a message.
func (q *Queue) corrections(ctx context.Context, t target) (n int, err error) {
	if len(t.parts) == 0 {
		return 0, nil
	}
	rows, err := q.outbox.messages.ByNetworkID(ctx, q.conv.ID, t.parts[0].Net)
	for _, m := range rows {
		if m.First != "" {
			n++
		}
	}
	return n, err
}

// late reports whether a message was sent longer ago than a window allows; zero is no limit.
func (q *Queue) late(t target, window time.Duration) bool {
	return window > 0 && len(t.parts) > 0 && q.env.Now().Sub(t.parts[0].At) > window
}

// target is the message that a request is about: in the map of ids, or still in the outbox.
type target struct {
	stanza  string // of its first version
	own     string // the id that the sender has given that version; "" where that is not known
	sender  string // bare JID where it came from XMPP
	author  transports.UserID
	parts   []tables.Mapping
	deleted bool
	found   bool // it is known and was not deleted
}

// by reports whether the message is the sender's own. What the owner of the login has written on the network is not that of somebody in a
// linked room who writes through the login.
func (t target) by(w written, linked bool) bool {
	return t.sender == w.from.Bare().String() || !linked && t.sender == "" && t.author != "" && t.author == w.login.User
}

// find looks for the message that an id of XMPP names. Clients choose their ids: of several
// messages with one the sender's own is meant, sent or still waiting.
func (q *Queue) find(ctx context.Context, id string, sender jid.JID) (target, bool, error) {
	if id == "" || len(id) > 4*convert.MaxID {
		return target{}, false, nil
	}
	who := sender.Bare().String()
	waiting, ok, err := q.findWaiting(ctx, id, who)
	if err != nil || ok && waiting.sender == who {
		return waiting, ok, err // later than any that was sent
	}
	rows, err := q.outbox.byStanza(ctx, q.conv.ID, id, who)
	if err != nil || len(rows) == 0 {
		return waiting, ok, err
	}
	r := rows[0]
	return target{stanza: r.Stanza, own: r.Origin, sender: r.Sender, author: r.Author, parts: rows, deleted: r.Deleted}, true, nil
}

// byStanza are the parts of the first version of a message.
func (o *Outbox) byStanza(ctx context.Context, room int64, id, sender string) ([]tables.Mapping, error) {
	rows, err := o.messages.ByStanzaID(ctx, room, id, sender)
	if err == nil && len(rows) > 0 && rows[0].First != "" {
		rows, err = o.messages.ByStanzaID(ctx, room, rows[0].First, sender)
	}
	return rows, err
}

// findWaiting looks among the messages that were not sent yet.
func (q *Queue) findWaiting(ctx context.Context, id, who string) (t target, ok bool, err error) {
	if len(q.accepted) == 0 && q.conv.Calls() == 0 {
		return t, false, nil
	}
	for _, a := range slices.Backward(q.accepted) { // the latest of those with one id
		if a.call.Message != id && a.call.Stanza != id || a.request.Kind != convert.SendMessage && a.request.Kind != convert.SendEdit {
			continue
		}
		if t, ok = q.targetOf(a.call, a.request), true; t.sender == who {
			return t, true, nil
		}
	}
	c, kept, err := q.outbox.calls.CallByStanza(ctx, q.conv.ID, id, who)
	if err != nil || !kept || c.State == tables.CallFailed {
		return t, ok, err
	}
	if other := q.targetOf(c, decode(c)); !ok || other.sender == who {
		t = other
	}
	return t, true, nil
}

// targetOf is a message that has not been sent yet; a correction stands for its first version.
func (q *Queue) targetOf(c tables.Call, r convert.Request) target {
	t := target{stanza: c.Stanza, own: c.Message, sender: c.Sender.Bare().String()}
	if l := q.outbox.logins.ByID(c.Login); l != nil {
		t.author = l.User
	}
	if convert.Kind(c.Kind) == convert.SendEdit {
		t.stanza, t.own = r.Target, ""
	}
	return t
}
