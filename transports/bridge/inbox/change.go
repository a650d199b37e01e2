package inbox

import (
	"context"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/outbox"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// edit is a message's new text (XEP-0308). Every correction names the first message.
func (s *step) edit(ctx context.Context, e transports.Edit) error {
	rows, err := s.byNetworkID(ctx, e.ID)
	if err != nil {
		return err
	}
	if s.ours() {
		if s.p.calls.Calling() {
			return errHeld
		}
		if echo, err := s.takeEcho(ctx, e.ID, outbox.EditEcho); err != nil || echo {
			return err
		}
	}
	if len(rows) > 0 && rows[0].Deleted || s.oldVersion(rows) || s.outdated("edit", string(e.ID)) {
		return nil
	}
	if s.p.links != nil { // what the edit took away is not served any longer
		s.b.Messages.MediaReplaced = append(s.b.Messages.MediaReplaced, tables.Deletion{Room: s.p.conv.ID, Net: []transports.MessageID{e.ID}})
	}
	e.Files, e.Text = s.linked(e.ID, e.Files), s.filled(ctx, e.Text)
	rendered := convert.Text(e.Text, e.Files, s.p.env.Settings.Text)
	id := s.stanzaID("edit " + s.e.Key)
	row := tables.Mapping{Room: s.p.conv.ID, Net: e.ID, Stanza: id, Origin: id, Author: s.e.Actor, At: s.at(), Text: convert.Snippet(rendered.Text)}
	if !s.e.At.IsZero() {
		row.At = s.e.At // to be compared with those of other edits
	}
	if len(rows) == 0 || rows[0].Part > 0 || s.split(ctx, rows[0]) {
		if len(rows) == 0 {
			s.b.Messages.Mappings = append(s.b.Messages.Mappings, row)
		} else {
			s.corrects = rows[0].Stanza
		}
		return s.say(ctx, id, false, convert.UnknownEdit(e, rendered, s.mentioned())...)
	}
	first := rows[0]
	s.corrects = first.Stanza
	row.First, row.Author, row.Sender = first.Stanza, first.Author, first.Sender
	s.b.Messages.Mappings = append(s.b.Messages.Mappings, row)
	return s.say(ctx, id, false, convert.Correction(e, rendered, first.Origin, s.mentioned())...)
}

// split reports whether a message of ours became several of the network: then the new text
// of one of them is not the whole text.
func (s *step) split(ctx context.Context, first tables.Mapping) bool {
	if first.Sender == "" {
		return false
	}
	rows, err := s.byStanzaID(ctx, first.Stanza)
	return err == nil && len(rows) > 1
}

// takeEcho reports whether an event is the echo of a change that we made, and uses up the earliest such. What counts is when the
// change was made, which an event says that comes late, such as from the history after an outage.
func (s *step) takeEcho(ctx context.Context, net transports.MessageID, kind string) (bool, error) {
	at := s.p.env.Now()
	if made := s.at(); made.Before(at) {
		at = made
	}
	expected, err := s.p.messages.Echoes(ctx, s.p.conv.ID, net, at)
	if err != nil {
		return false, err
	}
	for _, e := range expected {
		e.Until = time.Time{}
		if !outbox.IsEcho(e, kind) || slices.Contains(s.all.Messages.EchoesUsed, e) || slices.Contains(s.b.Messages.EchoesUsed, e) {
			continue
		}
		s.b.Messages.EchoesUsed = append(s.b.Messages.EchoesUsed, e)
		s.p.env.Counters.Echoes.Add(1)
		return true, nil
	}
	return false, nil
}

// delete removes messages (XEP-0424); where somebody else than the author did it in a room, it is
// shown as moderation (XEP-0425).
func (s *step) delete(ctx context.Context, d transports.Delete) error {
	if s.ours() && s.p.calls.Calling() {
		return errHeld
	}
	for _, id := range d.IDs {
		rows, err := s.byNetworkID(ctx, id)
		if err != nil {
			return err
		}
		// The event need not say who did it. A message that is not known may be one of ours that is on its way.
		if len(rows) == 0 && s.p.calls.Calling() || len(rows) > 0 && s.p.calls.Making(convert.SendDelete, rows[0].Stanza) {
			return errHeld
		}
	}
	for _, id := range d.IDs {
		parts, err := s.partsOf(ctx, id, d.Part)
		if err != nil {
			return err
		}
		for _, net := range parts {
			if err := s.deleteOne(ctx, net, d.By); err != nil {
				return err
			}
		}
	}
	return nil
}

// partsOf are the ids in the tables of a part of a message, or of all of them.
func (s *step) partsOf(ctx context.Context, id transports.MessageID, part transports.PartID) ([]transports.MessageID, error) {
	if part != "" {
		return []transports.MessageID{convert.PartID(id, part)}, nil
	}
	after, before := convert.PartRange(id)
	further, err := s.p.parts.Between(ctx, s.p.conv.ID, after, before)
	if err != nil {
		return nil, err
	}
	for _, b := range []*tables.Batch{s.all, &s.b} {
		for _, m := range b.Messages.Mappings {
			if m.Net > after && m.Net < before && !slices.Contains(further, m.Net) {
				further = append(further, m.Net)
			}
		}
	}
	return append([]transports.MessageID{id}, further...), nil
}

func (s *step) deleteOne(ctx context.Context, net transports.MessageID, by transports.UserID) error {
	rows, err := s.byNetworkID(ctx, net)
	if err != nil || len(rows) > 0 && rows[0].Deleted {
		return err // it may have been deleted by us
	}
	if len(rows) == 0 {
		s.deletedEarly(net)
		return nil
	}
	first := rows[0]
	s.b.Messages.Deleted = append(s.b.Messages.Deleted, tables.Deletion{Room: s.p.conv.ID, Net: []transports.MessageID{net}})
	parts, err := s.byStanzaID(ctx, first.Stanza)
	if err != nil {
		return err
	}
	for _, part := range parts {
		if part.Net != net && !part.Deleted && !deletes(s.all, part.Net) && !deletes(&s.b, part.Net) {
			return nil // a part of it is still there
		}
	}
	if by == "" {
		by = s.e.Actor
	}
	id := s.stanzaID("delete " + string(net))
	if by != "" && first.Author != "" && by != first.Author && !s.p.conv.Direct() {
		name := convert.DisplayName(s.p.people.Find(ctx, by, ""))
		moderator := convert.Moderator{Address: s.p.addressOf(by, name), Occupant: s.p.address.Occupant(by, ""), Name: name}
		content := convert.Moderation(s.reference(first), moderator)
		s.retract(first.Stanza, id, content)
		return s.say(ctx, id, true, content...)
	}
	s.e.Actor, s.e.Name = first.Author, ""
	content := convert.Retraction(s.reference(first))
	s.retract(first.Stanza, id, content)
	return s.say(ctx, id, false, content...)
}

// retract turns a message in the archive of a room into a tombstone. id and content are those of the retraction.
func (s *step) retract(target, id string, content []*stanza.Element) {
	if s.p.conv.Direct() {
		return
	}
	now := s.p.env.Now()
	s.b.Archive = append(s.b.Archive, tables.Archived{Room: s.p.conv.ID, Retract: target, ID: id, At: now, Payload: convert.Tombstone(id, now, content...)})
}
