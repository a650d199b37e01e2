package inbox

import (
	"context"
	"slices"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/outbox"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// reactions are changes, or the sets of several people; XMPP wants the whole set of a person (XEP-0444 §3.2).
func (s *step) reactions(ctx context.Context, r transports.Reactions) error {
	rows, err := s.byNetworkID(ctx, r.ID)
	if err != nil {
		return err
	}
	if s.p.calls.Calling() && (len(rows) == 0 || s.ours()) {
		return errHeld // perhaps to the message that is on its way, or the call itself has made it
	}
	if len(rows) > 0 && rows[0].Deleted {
		return nil
	}
	actor := s.e.Actor
	if l := s.local(); actor == "" && l != nil {
		actor = l.User
	}
	add, err := s.withoutEchoes(ctx, r.ID, convert.ReactionSet(r.Add), true)
	if err != nil {
		return err
	}
	remove, err := s.withoutEchoes(ctx, r.ID, convert.ReactionSet(r.Remove), false)
	if err != nil {
		return err
	}
	late := func(emoji string) bool { return s.outdated("reaction", string(r.ID)+" "+string(actor)+" "+emoji) }
	add, remove = slices.DeleteFunc(add, late), slices.DeleteFunc(remove, late)
	if len(rows) == 0 {
		s.reactedEarly(r.ID, actor, add, remove)
		return nil
	}
	if len(add)+len(remove) > 0 {
		err := s.react(ctx, rows[0], reactionChange{user: actor, key: s.e.Key, change: func(set []string) []string {
			set = slices.DeleteFunc(set, func(e string) bool { return slices.Contains(remove, e) })
			return append(set, add...)
		}})
		if err != nil {
			return err
		}
	}
	if r.ClearedAll || len(r.Cleared) > 0 {
		if err := s.clear(ctx, rows[0], r); err != nil {
			return err
		}
	}
	for _, set := range r.Sets {
		s.e.Actor, s.e.Name = set.User, ""
		change := reactionChange{user: set.User, key: s.e.Key + " " + string(set.User), change: func([]string) []string { return set.Emoji }}
		if err := s.react(ctx, rows[0], change); err != nil {
			return err
		}
	}
	return nil
}

// clear takes from everybody what a moderator has removed.
func (s *step) clear(ctx context.Context, to tables.Mapping, r transports.Reactions) error {
	people, err := s.p.reactors.Reactors(ctx, s.p.conv.ID, to.Net)
	if err != nil {
		return err
	}
	for _, b := range []*tables.Batch{s.all, &s.b} {
		for _, one := range b.Messages.Reactions {
			if one.Net == to.Net && !slices.Contains(people, one.User) {
				people = append(people, one.User)
			}
		}
	}
	cleared := convert.ReactionSet(r.Cleared)
	for _, who := range people {
		s.e.Actor, s.e.Name = who, ""
		change := reactionChange{user: who, key: s.e.Key + " " + string(who), change: func(set []string) []string {
			return slices.DeleteFunc(set, func(e string) bool { return r.ClearedAll || slices.Contains(cleared, e) })
		}}
		if err := s.react(ctx, to, change); err != nil {
			return err
		}
	}
	return nil
}

// withoutEchoes leaves out the reactions that report a change of ours: it may have been changed again since.
func (s *step) withoutEchoes(ctx context.Context, net transports.MessageID, set []string, added bool) (list []string, err error) {
	if !s.ours() {
		return set, nil
	}
	for _, emoji := range set {
		echo, err := s.takeEcho(ctx, net, outbox.ReactionEcho(emoji, added))
		if err != nil {
			return nil, err
		}
		if !echo {
			list = append(list, emoji)
		}
	}
	return list, nil
}

// reactionChange changes the set of one person.
type reactionChange struct {
	user   transports.UserID
	key    string
	change func([]string) []string
}

func (s *step) react(ctx context.Context, to tables.Mapping, c reactionChange) error {
	before, err := s.reactionsOf(ctx, to.Net, c.user)
	if err != nil {
		return err
	}
	after := convert.ReactionSet(c.change(convert.ReactionSet(before)))
	slices.Sort(before)
	slices.Sort(after)
	if slices.Equal(before, after) {
		return nil // our own, reported back
	}
	for _, e := range before {
		if !slices.Contains(after, e) {
			s.b.Messages.ReactionsRemoved = append(s.b.Messages.ReactionsRemoved, tables.Reaction{Room: s.p.conv.ID, Net: to.Net, User: c.user, Emoji: e})
		}
	}
	for _, e := range after {
		if !slices.Contains(before, e) {
			s.b.Messages.Reactions = append(s.b.Messages.Reactions, tables.Reaction{Room: s.p.conv.ID, Net: to.Net, User: c.user, Emoji: e})
		}
	}
	return s.say(ctx, s.stanzaID("reactions "+c.key), false, convert.Reactions(s.reference(to), after)...)
}

// reactionsOf is a person's set with what this batch has changed.
func (s *step) reactionsOf(ctx context.Context, net transports.MessageID, who transports.UserID) ([]string, error) {
	set, err := s.p.messages.Reactions(ctx, s.p.conv.ID, net, who)
	if err != nil {
		return nil, err
	}
	for _, b := range []*tables.Batch{s.all, &s.b} {
		for _, r := range b.Messages.ReactionsRemoved {
			if r.Net == net && r.User == who {
				set = slices.DeleteFunc(set, func(e string) bool { return e == r.Emoji })
			}
		}
		for _, r := range b.Messages.Reactions {
			if r.Net == net && r.User == who && !slices.Contains(set, r.Emoji) {
				set = append(set, r.Emoji)
			}
		}
	}
	return set, nil
}
