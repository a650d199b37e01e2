package fake

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Helpers of this package's tests.

// WaitOnline returns when the bot has a connection with a session.
func (b *Bot) WaitOnline(ctx context.Context) error {
	return b.s.wait(ctx, func() bool { return len(b.live()) > 0 })
}

// WaitOffline returns when the bot has none.
func (b *Bot) WaitOffline(ctx context.Context) error {
	return b.s.wait(ctx, func() bool { return len(b.live()) == 0 })
}

// ForgetSessions makes every session of the bot unresumable, as after a long absence.
// Live ones go on.
func (b *Bot) ForgetSessions() {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	for _, v := range append([]*session(nil), b.s.sessions...) {
		if v.app == b.a && v.conn == nil {
			b.s.end(v)
		}
	}
}

// WaitMessage returns the first message of a channel that fits, as soon as there is one.
func (s *Server) WaitMessage(ctx context.Context, channel ID, fits func(Message) bool) (Message, error) {
	var found Message
	err := s.wait(ctx, func() bool {
		list := s.transcript(s.mustChannel(channel))
		i := slices.IndexFunc(list, fits)
		if i >= 0 {
			found = list[i]
		}
		return i >= 0
	})
	return found, err
}

// Transport leads requests for Discord's hosts to this server, for client libraries
// whose addresses are constants. A request to any other host is an error.
func (s *Server) Transport() http.RoundTripper {
	return rewriter{s, &http.Transport{DisableCompression: true}}
}

type rewriter struct {
	s    *Server
	next *http.Transport
}

// RoundTrip is http.RoundTripper's.
func (t rewriter) RoundTrip(r *http.Request) (*http.Response, error) {
	base, err := url.Parse(t.s.URL())
	if err != nil {
		return nil, fmt.Errorf("address of the fake Discord server: %w", err)
	}
	host := r.URL.Hostname()
	known := host == base.Hostname()
	for _, d := range []string{"discord.com", "discordapp.com", "discordapp.net", "discord.gg"} {
		known = known || host == d || strings.HasSuffix(host, "."+d)
	}
	if !known {
		return nil, fmt.Errorf("request to %s, which is not Discord", host)
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = base.Scheme, base.Host, base.Host
	return t.next.RoundTrip(r)
}

// CloseIdleConnections is called by http.Client.
func (t rewriter) CloseIdleConnections() { t.next.CloseIdleConnections() }
