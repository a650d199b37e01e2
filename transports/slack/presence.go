package slack

import (
	"context"
	"net/url"
	"time"

	"github.com/dragoman-im/dragoman/transports"
)

// maxWatched bounds whose presence one login asks for: at 50 questions a minute more would
// come round too rarely to mean anything.
const maxWatched = 200

// Watch says whose presence matters. Slack sends it by itself in RTM only, so it is polled.
func (s *client) Watch(_ context.Context, users []transports.UserID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := map[string]transports.Show{}
	for _, u := range users {
		if id, ok := slackID(s.cred.Team, u); ok && len(next) < maxWatched {
			next[id] = s.watched[id]
		}
	}
	s.watched = next
	select {
	case s.watch <- struct{}{}: // who is new is asked about at once
	default:
	}
	return nil
}

// SetPresence sets the person's own presence: Slack knows auto and away.
func (s *client) SetPresence(ctx context.Context, p transports.PresenceInfo) error {
	if s.cred.User == "" {
		return nil // the bot's presence is no one's
	}
	value := "auto"
	if p.Show == transports.Away || p.Show == transports.Offline {
		value = "away"
	}
	return s.call(ctx, "users.setPresence", url.Values{"presence": {value}}, nil)
}

// pollPresence asks about everybody at each turn, and in between about those who are new.
func (s *client) pollPresence() {
	turn := time.NewTicker(s.n.o.Presence)
	defer turn.Stop()
	for {
		all := false
		select {
		case <-s.ctx.Done():
			return
		case <-s.watch:
		case <-turn.C:
			all = true
		}
		for _, id := range s.watching(all) {
			if !s.ask(id) {
				return
			}
		}
	}
}

// watching are those whose presence matters, or of them only those of whom nothing is known yet.
func (s *client) watching(all bool) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := make([]string, 0, len(s.watched))
	for id, show := range s.watched {
		if all || show == "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// ask tells false when the client has ended.
func (s *client) ask(id string) bool {
	var p struct {
		Presence string `json:"presence"`
	}
	err := s.paced(s.ctx, "users.getPresence", url.Values{"user": {id}}, &p)
	if s.ctx.Err() != nil {
		return false
	}
	if err != nil {
		s.log.Debug("ask for a presence", "err", err)
		return transports.ClassOf(err) != transports.NeedLogin
	}
	show := transports.Away
	if p.Presence == "active" {
		show = transports.Available
	}
	s.mu.Lock()
	was, ok := s.watched[id]
	if ok {
		s.watched[id] = show
	}
	s.mu.Unlock()
	if !ok || was == show {
		return true
	}
	info := transports.PresenceInfo{User: userID(s.cred.Team, id), Show: show}
	if err := s.sink.Deliver(s.ctx, transports.Event{Actor: info.User, At: time.Now().UTC(), Body: transports.Presence{Info: info}}); err != nil {
		s.log.Debug("deliver a presence", "err", err)
	}
	return true
}
