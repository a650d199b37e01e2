package bridge

import (
	"context"
	"slices"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// reactions are changes; XMPP wants the whole set of the person (XEP-0444 §3.2).
func (s *step) reactions(ctx context.Context, r transports.Reactions) error {
	rows, err := s.idsByNet(ctx, r.ID)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		if s.w.calling() {
			return errHeld // perhaps to the message that is on its way
		}
		return nil
	}
	actor := s.e.Actor
	if actor == "" {
		if a := s.local(); a != nil {
			actor = a.user
		}
	}
	set, err := s.reactionsOf(ctx, r.ID, actor)
	if err != nil {
		return err
	}
	slices.Sort(set)
	before := slices.Clone(set)
	for _, e := range r.Remove {
		if i := slices.Index(set, e); i >= 0 {
			set = slices.Delete(set, i, i+1)
			s.b.Messages.ReactionsRemoved = append(s.b.Messages.ReactionsRemoved, tables.Reaction{Room: s.w.id, Net: r.ID, User: actor, Emoji: e})
		}
	}
	for _, e := range r.Add {
		if e != "" && len(e) <= maxName && !slices.Contains(set, e) && len(set) < maxReactions {
			set = append(set, e)
			s.b.Messages.Reactions = append(s.b.Messages.Reactions, tables.Reaction{Room: s.w.id, Net: r.ID, User: actor, Emoji: e})
		}
	}
	slices.Sort(set)
	if slices.Equal(before, set) {
		return nil // our own, told back
	}
	x := stanza.NewElement(nsReactions, "reactions").With("id", s.w.refer(rows[0]))
	for _, e := range set {
		x.Add(stanza.TextElement(nsReactions, "reaction", e))
	}
	return s.say(ctx, s.stanzaID("reactions "+s.e.Key), false, x, hint("store"))
}

const maxReactions = 50 // of one person to one message

// reactionsOf is a person's set with what this batch has changed.
func (s *step) reactionsOf(ctx context.Context, net transports.MessageID, who transports.UserID) ([]string, error) {
	set, err := s.w.g.store.Reactions(ctx, s.w.id, net, who)
	if err != nil {
		return nil, err
	}
	for _, r := range s.all.Messages.ReactionsRemoved {
		if r.Net == net && r.User == who {
			set = slices.DeleteFunc(set, func(e string) bool { return e == r.Emoji })
		}
	}
	for _, r := range s.all.Messages.Reactions {
		if r.Net == net && r.User == who && !slices.Contains(set, r.Emoji) {
			set = append(set, r.Emoji)
		}
	}
	return set, nil
}
