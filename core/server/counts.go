package server

import (
	"context"
	"log/slog"
	"time"
)

// tellEvery is how often the log is told which limits were reached.
const tellEvery = time.Minute

// Count is how often a limit was reached since the start.
type Count struct {
	Limit string // the setting that says it, such as limits.stanza_bytes
	Times uint64
}

// Counts are the limits that refuse something, end a connection or slow it down, in the order of
// the settings.
func (s *Server) Counts() []Count {
	c, k, st := &s.clients.Counters, &s.components.Counters, &s.store.Counters
	var messages, bytes, cards uint64
	for _, h := range s.hosts {
		messages += h.offline.Refused.Messages.Load()
		bytes += h.offline.Refused.Bytes.Load()
		cards += h.vcard.TooLarge.Load()
	}
	own := []Count{
		{"login.tries", c.Tries.Load()},
		{"login.failures", c.LoginsHeld.Load()},
		{"login.tls_wait", c.LateTLS.Load()},
		{"login.wait", c.LateLogin.Load() + k.Late.Load()},
		{"limits.stanza_bytes", c.Stanza.Bytes.Load()},
		{"limits.stanza_elements", c.Stanza.Elements.Load()},
		{"limits.stanza_depth", c.Stanza.Depth.Load() + k.Stanza.Depth.Load()},
		{"limits.stanza_attributes", c.Stanza.Attrs.Load() + k.Stanza.Attrs.Load()},
		{"limits.login_bytes", c.BeforeLogin.Bytes.Load() + k.BeforeLogin.Bytes.Load()},
		{"limits.login_elements", c.BeforeLogin.Elements.Load() + k.BeforeLogin.Elements.Load()},
		{"limits.login_depth", c.BeforeLogin.Depth.Load() + k.BeforeLogin.Depth.Load()},
		{"limits.login_attributes", c.BeforeLogin.Attrs.Load() + k.BeforeLogin.Attrs.Load()},
		{"limits.component_bytes", k.Stanza.Bytes.Load()},
		{"limits.component_elements", k.Stanza.Elements.Load()},
		{"limits.component_queue", k.Slow.Load()},
		{"limits.rate", c.Throttled.Load()},
		{"limits.queue", c.Slow.Load()},
		{"limits.connections", c.TooMany.Load() + k.Unauthenticated.Load()},
		{"limits.new_connections", c.TooFast.Load()},
		{"limits.sessions", c.Full.Load()},
		{"limits.recipients", c.Recipients.Load()},
		{"limits.idle", c.Silent.Load() + k.Silent.Load()},
		{"limits.roster_items", st.RosterItems.Load()},
		{"limits.roster_bytes", st.RosterBytes.Load()},
		{"limits.roster_requests", st.PendingIn.Load()},
		{"limits.blocked", st.Blocked.Load()},
		{"limits.offline_messages", messages},
		{"limits.offline_bytes", bytes},
		{"limits.vcard_bytes", cards},
	}
	return append(own, s.serviceCounts()...)
}

// tell logs which limits were reached since it did so last, and at the end.
func tell(ctx context.Context, log *slog.Logger, counts func() []Count) error {
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	told := map[string]uint64{}
	for ctx.Err() == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		if attrs := news(told, counts()); len(attrs) > 0 {
			log.LogAttrs(ctx, slog.LevelInfo, "limits reached", attrs...)
		}
	}
	return nil
}

// news are the counts that have grown beyond told, which is brought up to date.
func news(told map[string]uint64, now []Count) []slog.Attr {
	var attrs []slog.Attr
	for _, c := range now {
		if n := c.Times - told[c.Limit]; n > 0 {
			attrs = append(attrs, slog.Uint64(c.Limit, n))
			told[c.Limit] = c.Times
		}
	}
	return attrs
}
