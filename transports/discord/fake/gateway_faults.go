package fake

import (
	"context"
	"time"
)

// Close closes the bot's connections with a code. After 4007 and 4009 the session is
// gone, after the others it can be resumed. (topics/opcodes-and-status-codes.mdx)
func (b *Bot) Close(code int) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	b.closeAll(code, "")
}

func (b *Bot) closeAll(code int, reason string) {
	for _, v := range b.live() {
		v.conn.close(code, reason)
		if code == 4007 || code == 4009 || code == 4004 {
			b.s.end(v)
		}
	}
}

// Reconnect asks the bot's connections to come again (opcode 7). They get no events from
// now on and are closed where they do not go.
func (b *Bot) Reconnect() {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	for _, v := range b.live() {
		c := v.conn
		c.control(obj{"op": opReconnect})
		c.quiet = true
		time.AfterFunc(b.s.opts.ReconnectGrace, func() {
			b.s.mu.Lock()
			defer b.s.mu.Unlock()
			c.close(4000, "told to reconnect")
		})
	}
}

// Invalidate notifies the bot's connections that their session is invalid (opcode 9): with
// resumable it may be resumed, else it is gone and a new one is to be identified for.
func (b *Bot) Invalidate(resumable bool) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	for _, v := range b.live() {
		c := v.conn
		c.invalid(resumable)
		if resumable {
			b.s.detach(c)
		} else {
			b.s.end(v)
		}
	}
}

// RefuseResume answers the bot's next RESUME with opcode 9.
func (b *Bot) RefuseResume(resumable bool) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	b.a.refuse = &resumable
}

// AskHeartbeat asks the bot's connections for a heartbeat at once (opcode 1).
func (b *Bot) AskHeartbeat() {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	for _, v := range b.live() {
		v.conn.control(obj{"op": opHeartbeat})
	}
}

// Drop cuts the bot's connections without a close frame.
func (b *Bot) Drop() {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	for _, v := range b.live() {
		v.conn.cut()
	}
}

// Lag delays the acknowledgements of heartbeats; a negative time swallows them, as a
// connection does that died without anybody knowing.
func (s *Server) Lag(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ackLag = d
}

// HoldEvents keeps events back, so that answers arrive before the events of what they
// did. The function it returns lets them go, in order.
func (s *Server) HoldEvents() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = true
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.held = false
		for _, v := range s.sessions {
			s.push(v)
		}
	}
}

// PartialUpdates sends the previews of links as MESSAGE_UPDATE with the previews alone.
func (s *Server) PartialUpdates(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.partial = on
}

// ExpireLinks makes all links to attachments that were given out until now worthless.
func (s *Server) ExpireLinks() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.linkKey = newKey()
}

// DeleteWebhooks deletes the webhooks of a channel behind the bot's back, so that the
// next use is answered with 404.
func (s *Server) DeleteWebhooks(channel ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.mustChannel(channel)
	for _, w := range s.webhooksOf(func(w *webhook) bool { return w.channel == c }) {
		s.unhook(w)
	}
}

// GuildOutage makes a guild unavailable, or available again.
func (s *Server) GuildOutage(guild ID, down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.mustGuild(guild)
	if g.down == down {
		return
	}
	if down {
		s.emit(event{"GUILD_DELETE", g, nil, IntentGuilds, nil, same(obj{"id": g.id, "unavailable": true})})
		g.down = true
		return
	}
	g.down = false
	s.emit(event{"GUILD_CREATE", g, nil, IntentGuilds, nil, func(v *session) obj { return s.full(g, v) }})
}

// Outage takes the whole network away: every connection is cut and none is let in. It is
// for a server that was started with Start.
func (s *Server) Outage(kind Outage) { s.listener().shut(kind) }

// listener is the server's own; without one an outage is a mistake in the script. It takes
// the lock.
func (s *Server) listener() *faultyListener {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faultyListener == nil {
		panic("fake Discord server: an outage before Start")
	}
	return s.faultyListener
}

// Recover ends an outage. Sessions can be resumed, unless forget makes them all be gone.
func (s *Server) Recover(ctx context.Context, forget bool) error {
	if forget {
		s.mu.Lock()
		for _, v := range append([]*session(nil), s.sessions...) {
			s.end(v)
		}
		s.mu.Unlock()
	}
	return s.listener().open(ctx)
}

// Refused is how many requests were answered with 401, 403 or 429: ten thousand in ten
// minutes and Discord answers no more. (topics/rate-limits.mdx, Invalid Request Limit)
func (s *Server) Refused() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.invalid
}
