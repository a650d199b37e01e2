package bridge

import (
	"context"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// edit is a message's new text (XEP-0308). Every correction names the first message.
func (s *step) edit(ctx context.Context, m transports.Edit) error {
	rows, err := s.idsByNet(ctx, m.ID)
	if err != nil {
		return err
	}
	if s.ours() {
		if s.w.calling() {
			return errHeld
		}
		if had, err := s.takeEcho(ctx, m.ID, echoEdit); err != nil || had {
			return err
		}
	}
	text := s.w.g.bodyOf(m.Text, m.Files, false)
	if text == "" {
		text = "(empty message)"
	}
	id := s.stanzaID("edit " + s.e.Key)
	if len(rows) == 0 || rows[0].Part > 0 || s.split(ctx, rows[0]) {
		return s.editedUnknown(ctx, id, m, text, rows)
	}
	first := rows[0]
	s.b.Messages.Mappings = append(s.b.Messages.Mappings, tables.Mapping{
		Room: s.w.id, Net: m.ID, Stanza: id, Origin: id, First: first.Stanza, Author: first.Author, Sender: first.Sender, At: s.at(), Text: snippet(text),
	})
	replace := stanza.NewElement(nsCorrect, "replace").With("id", first.Origin)
	return s.say(ctx, id, false, body(text), replace, oob(m.Text, m.Files))
}

// split tells whether a message of ours became several of the network: then the new text
// of one of them is not the whole text.
func (s *step) split(ctx context.Context, first tables.Mapping) bool {
	if first.Sender == "" {
		return false
	}
	rows, err := s.idsByStanza(ctx, first.Stanza)
	return err == nil && len(rows) > 1
}

// editedUnknown shows an edit of a message that was never shown, so that nothing is lost.
func (s *step) editedUnknown(ctx context.Context, id string, m transports.Edit, text string, rows []tables.Mapping) error {
	if len(rows) == 0 {
		s.b.Messages.Mappings = append(s.b.Messages.Mappings, tables.Mapping{Room: s.w.id, Net: m.ID, Stanza: id, Origin: id, Author: s.e.Actor, At: s.at(), Text: snippet(text)})
	}
	return s.say(ctx, id, false, body("(edited) "+text), oob(m.Text, m.Files))
}

// The changes of ours that the network tells us of.
const (
	echoEdit   = "edit"
	echoDelete = "delete"
)

// takeEcho tells whether an event is the echo of a change that we made, and uses it up.
func (s *step) takeEcho(ctx context.Context, net transports.MessageID, kind string) (bool, error) {
	e := tables.Echo{Room: s.w.id, Net: net, Kind: kind}
	had, err := s.w.g.store.HasEcho(ctx, e, s.w.g.now())
	for _, used := range s.all.Messages.EchoesUsed {
		had = had && used != e
	}
	if had {
		s.b.Messages.EchoesUsed = append(s.b.Messages.EchoesUsed, e)
		s.w.g.Counters.Echoes.Add(1)
	}
	return had, err
}
