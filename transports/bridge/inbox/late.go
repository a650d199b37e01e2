package inbox

import (
	"context"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Networks do not keep the order of events. A version that is older than the one on show is not shown; a change that comes
// before its message is kept for it.

const (
	maxNewest = 256 // things of one conversation whose last change is remembered
	maxEarly  = 64  // messages of one conversation that are reacted to and have not come yet
)

// newest are the last changes of things that networks change often. It is in memory only: events are late by seconds.
type newest struct {
	by    map[string]changed
	order []string // the oldest first
}

// changed is a change by the network's clock, and the number of its event.
type changed struct {
	at  time.Time
	seq int64
}

// outdated reports whether a later change of the same thing came before this one, and else remembers this one. An event that
// is processed again, since it could not be stored, is not outdated by those behind it.
func (n *newest) outdated(key string, c changed) bool {
	last, ok := n.by[key]
	switch {
	case c.at.IsZero():
		return false
	case ok && c.at.Before(last.at):
		return c.seq > last.seq
	case !ok:
		if n.by == nil {
			n.by = map[string]changed{}
		}
		if len(n.order) >= maxNewest {
			delete(n.by, n.order[0])
			n.order = append(n.order[:0], n.order[1:]...)
		}
		n.order = append(n.order, key)
	}
	n.by[key] = c
	return false
}

// outdated reports whether the event changes something back that a later change has changed already.
func (s *step) outdated(what string, id string) bool {
	return s.p.newest.outdated(what+" "+id, changed{s.e.At, s.row.Seq})
}

// shownVersion notes which version of a message is shown first: that of the history may have been edited.
func (s *step) shownVersion(m transports.Message) {
	if !m.Edited.IsZero() {
		s.p.newest.outdated("edit "+string(m.ID), changed{m.Edited, s.row.Seq})
	}
}

// oldVersion reports whether a later edit of the network is shown already. What the network says of the original does not
// count: it may have the whole second of an edit only.
func (s *step) oldVersion(rows []tables.Mapping) bool {
	return !s.e.At.IsZero() && slices.ContainsFunc(rows, func(r tables.Mapping) bool {
		edited := r.Origin == r.Stanza && (r.First != "" || r.Stanza != s.stanzaID(string(r.Net)))
		return edited && s.e.At.UnixMicro() < r.At.UnixMicro()
	})
}

// deletedEarly keeps that a message is deleted which has not come yet, so that it is not shown when it comes.
func (s *step) deletedEarly(net transports.MessageID) {
	id := s.stanzaID(string(net))
	s.b.Messages.Mappings = append(s.b.Messages.Mappings, tables.Mapping{
		Room: s.p.conv.ID, Net: net, Stanza: id, Origin: id, At: s.at(), Deleted: true,
	})
}

// reactedEarly keeps reactions to a message that has not come yet.
func (s *step) reactedEarly(net transports.MessageID, user transports.UserID, add, remove []string) {
	row := func(emoji string) tables.Reaction {
		return tables.Reaction{Room: s.p.conv.ID, Net: net, User: user, Emoji: emoji}
	}
	for _, e := range remove {
		s.b.Messages.ReactionsRemoved = append(s.b.Messages.ReactionsRemoved, row(e))
	}
	for _, e := range add {
		s.b.Messages.Reactions = append(s.b.Messages.Reactions, row(e))
	}
	p := s.p
	if p.early == nil {
		p.early = map[transports.MessageID][]transports.UserID{}
	}
	if _, ok := p.early[net]; !ok && len(p.early) >= maxEarly {
		clear(p.early)
	}
	if !slices.Contains(p.early[net], user) {
		p.early[net] = append(p.early[net], user)
	}
}

// showEarly shows the reactions that came before their message.
func (s *step) showEarly(ctx context.Context, net transports.MessageID) error {
	users := s.p.early[net]
	if len(users) == 0 {
		return nil
	}
	rows, err := s.byNetworkID(ctx, net)
	if err != nil || len(rows) == 0 {
		return err
	}
	author, name := s.e.Actor, s.e.Name
	for _, user := range users {
		set, err := s.reactionsOf(ctx, net, user)
		if err != nil {
			return err
		}
		if len(set) == 0 {
			continue
		}
		s.e.Actor, s.e.Name = user, ""
		id := s.stanzaID("reactions early " + string(net) + " " + string(user))
		if err := s.say(ctx, id, false, convert.Reactions(s.reference(rows[0]), set)...); err != nil {
			return err
		}
	}
	s.e.Actor, s.e.Name = author, name
	s.then(func(context.Context) { delete(s.p.early, net) })
	return nil
}
