package c2s

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	maxAddresses = 50_000           // entries; when there are more the idle ones are removed
	longestDelay = 30 * time.Second // of a login after failures
	maxTried     = 100              // user names remembered for one address
	triesOfOne   = 4                // the limit of failures for one user name is that of the address divided by this
)

// addressLimiter counts connections and failed logins by address. All addresses of an IPv6 /64 count as one.
type addressLimiter struct {
	limits  Limits
	longest time.Duration // that a login is delayed
	now     func() time.Time

	mu        sync.Mutex
	addresses map[netip.Prefix]*addressState
	clear     time.Time // when idle addresses were removed last
}

type addressState struct {
	conns    int
	arrivals *rate.Limiter // nil: no limit
	failures *rate.Limiter
	tried    map[string]*rate.Limiter // failures by user name
}

type verdict uint8

const (
	accepted verdict = iota
	tooMany
	tooFast
)

func newAddressLimiter(l Limits) *addressLimiter {
	return &addressLimiter{limits: l, longest: longestDelay, now: time.Now, addresses: map[netip.Prefix]*addressState{}}
}

// address returns the IP address of the peer, the zero value if it has none.
func address(nc net.Conn) netip.Addr {
	if a, err := netip.ParseAddrPort(nc.RemoteAddr().String()); err == nil {
		return a.Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

func network(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits)
	return p
}

// addressState finds or makes an entry. The lock is held.
func (g *addressLimiter) addressState(from netip.Addr) *addressState {
	key := network(from)
	if v := g.addresses[key]; v != nil {
		return v
	}
	g.forget()
	v := &addressState{arrivals: arrivals(g.limits.Arrivals)}
	g.addresses[key] = v
	return v
}

// forget removes addresses without connections and without recent failures. The caller holds the lock.
func (g *addressLimiter) forget() {
	now := g.now()
	if len(g.addresses) < maxAddresses && now.Sub(g.clear) < time.Minute {
		return
	}
	g.clear = now
	for key, v := range g.addresses {
		if v.conns == 0 && (v.failures == nil || v.failures.TokensAt(now) >= float64(v.failures.Burst())) {
			delete(g.addresses, key)
		}
	}
}

// setLimits replaces the limits, also for the addresses that are known.
func (g *addressLimiter) setLimits(l Limits) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if l.Arrivals != g.limits.Arrivals {
		for _, v := range g.addresses {
			v.arrivals = arrivals(l.Arrivals)
		}
	}
	g.limits = l
}

// arrivals limits new connections to n a second; nil is no limit.
func arrivals(n int) *rate.Limiter {
	if n <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(n), n)
}

// connect decides about a new connection, and counts it if it is accepted.
func (g *addressLimiter) connect(from netip.Addr) verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	v := g.addressState(from)
	if g.limits.Connections > 0 && v.conns >= g.limits.Connections {
		return tooMany
	}
	if v.arrivals != nil && !v.arrivals.AllowN(g.now(), 1) {
		return tooFast
	}
	v.conns++
	return accepted
}

// disconnect reverses connect.
func (g *addressLimiter) disconnect(from netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if v := g.addresses[network(from)]; v != nil && v.conns > 0 {
		v.conns--
	}
}

// failed counts a failed login, for the address and for the user name tried from there.
// The limit of the address is higher: many users may share it.
func (g *addressLimiter) failed(from netip.Addr, user string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := g.limits.Tries
	if n <= 0 {
		return
	}
	v := g.addressState(from)
	if v.failures == nil {
		v.failures, v.tried = perMinute(n), map[string]*rate.Limiter{}
	}
	now := g.now()
	v.failures.ReserveN(now, 1)
	of := v.tried[user]
	if of == nil && len(v.tried) < maxTried {
		of = perMinute(max(n/triesOfOne, 1))
		v.tried[user] = of
	}
	if of != nil {
		of.ReserveN(now, 1)
	}
}

func perMinute(n int) *rate.Limiter {
	return rate.NewLimiter(rate.Every(time.Minute/time.Duration(n)), n)
}

// delay returns how long a login as that user from that address must wait because of earlier failures. After the
// longest delay it may have to wait again.
func (g *addressLimiter) delay(from netip.Addr, user string) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	v := g.addresses[network(from)]
	if v == nil || v.failures == nil {
		return 0
	}
	now := g.now()
	d := missing(v.failures, now)
	if of := v.tried[user]; of != nil {
		d = max(d, missing(of, now))
	}
	return min(d, g.longest)
}

// missing returns the time until a limiter has a token.
func missing(l *rate.Limiter, now time.Time) time.Duration {
	tokens := 1 - l.TokensAt(now)
	if tokens <= 0 {
		return 0
	}
	return time.Duration(tokens / float64(l.Limit()) * float64(time.Second))
}
