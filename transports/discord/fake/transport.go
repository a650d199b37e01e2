package fake

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

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
		return nil, fmt.Errorf("address of the Discord stand-in: %w", err)
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

// CloseIdleConnections is http.Client's way to let go of connections.
func (t rewriter) CloseIdleConnections() { t.next.CloseIdleConnections() }
