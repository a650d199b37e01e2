package bridge

import (
	"context"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// delete takes messages away (XEP-0424); where somebody else than the author did it in a
// room, it is shown as moderation (XEP-0425).
func (s *step) delete(ctx context.Context, d transports.Delete) error {
	if s.ours() && s.w.calling() {
		return errHeld
	}
	for _, net := range d.IDs {
		if err := s.deleteOne(ctx, net, d.By); err != nil {
			return err
		}
	}
	return nil
}

func (s *step) deleteOne(ctx context.Context, net transports.MessageID, by transports.UserID) error {
	rows, err := s.idsByNet(ctx, net)
	if err != nil || len(rows) == 0 || rows[0].Deleted {
		return err // never shown, or deleted by us
	}
	first := rows[0]
	s.b.Messages.Deleted = append(s.b.Messages.Deleted, tables.Deletion{Room: s.w.id, Net: []transports.MessageID{net}})
	parts, err := s.idsByStanza(ctx, first.Stanza)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if p.Net != net && !p.Deleted && !s.goneNow(p.Net) {
			return nil // a part of it is still there
		}
	}
	if by == "" {
		by = s.e.Actor
	}
	moderated := by != "" && first.Author != "" && by != first.Author
	id := s.stanzaID("delete " + string(net))
	retract := stanza.NewElement(nsRetract, "retract").With("id", s.w.refer(first))
	told := "retracted a message, but your client does not show that."
	if moderated && !s.w.direct() {
		return s.moderate(ctx, id, retract, first, by)
	}
	s.e.Actor, s.e.Name = first.Author, ""
	s.w.tombstone(&s.b, first, id)
	return s.say(ctx, id, false, retract, body("/me "+told), fallbackFor(nsRetract), hint("store"))
}

// moderate is said by the room (XEP-0425 §4).
func (s *step) moderate(ctx context.Context, id string, retract *stanza.Element, first tables.Mapping, by transports.UserID) error {
	w := s.w
	who := w.g.person(ctx, w.g.account(s.row.Login), by, "")
	moderated := stanza.NewElement(nsModerate, "moderated").With("by", w.addressOf(author{by, displayName(who)}))
	moderated.Add(stanza.NewElement("urn:xmpp:occupant-id:0", "occupant-id").With("id", w.g.occupantID(by, "")))
	retract.Add(moderated)
	w.tombstone(&s.b, first, id)
	return s.say(ctx, id, true, retract, body(displayName(who)+" removed a message, but your client does not show that."), fallbackFor(nsRetract), hint("store"))
}

// tombstone leaves in the archive that there was a message (XEP-0424 §5).
func (w *worker) tombstone(b *tables.Batch, first tables.Mapping, by string) {
	if !w.direct() {
		b.Archive = append(b.Archive, tables.Archived{Room: w.id, Retract: first.Stanza, ID: by, At: w.g.now()})
	}
}

func (s *step) goneNow(net transports.MessageID) bool {
	for _, b := range []*tables.Batch{s.all, &s.b} {
		for _, g := range b.Messages.Deleted {
			for _, id := range g.Net {
				if id == net {
					return true
				}
			}
		}
	}
	return false
}
