package server

import (
	"net"
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/bytestreams"
	coredisco "github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/features/proxy"
	"github.com/dragoman-im/dragoman/core/router"
)

// newRelay makes the relay of bytestreams where something listens for it.
func (p *ports) newRelay(s *Server, c config.Config) {
	if len(p.proxy) == 0 {
		return
	}
	l := c.Limits
	p.relay = bytestreams.New(bytestreams.Limits{
		Connections: l.ProxyConnections, PerAddress: l.Connections, Arrivals: l.NewConnections,
		Streams: l.ProxyStreams, Rate: int(l.ProxyRate), Idle: time.Duration(l.Idle),
	}, s.log)
}

// proxyOptions says where clients reach the relay.
func (p *ports) proxyOptions(c config.Config) proxy.Options {
	if p.relay == nil {
		return proxy.Options{}
	}
	_, text, _ := net.SplitHostPort(p.proxy[0].Addr().String())
	port, _ := strconv.Atoi(text)
	return proxy.Options{Relay: p.relay, Address: c.Proxy.Address, Port: port}
}

// newProxy serves the domain at which clients find the relay.
func (h *host) newProxy(r *router.Router, a assembly) error {
	if a.shared.proxy.Relay == nil {
		return nil
	}
	return h.serve(r, a, servedDomain{
		label: a.config.Proxy.Domain, name: "Proxy for files", identity: coredisco.Identity{Category: "proxy", Type: "bytestreams", Name: "Proxy for files"},
		features: []router.Feature{h.proxy.Service()},
	})
}

// counts returns how often limits of the relay were reached.
func (p *ports) counts() []Count {
	r := p.relay
	if r == nil {
		return nil
	}
	return []Count{
		{"limits.proxy_connections", r.TooMany.Load()}, {"limits.new_connections", r.TooFast.Load()},
		{"limits.proxy_streams", r.TooManyStreams.Load()}, {"limits.proxy_rate", r.Slowed.Load()}, {"limits.idle", r.Silent.Load()},
	}
}
