package c2s

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	maxVisitors  = 50_000           // addresses that are remembered; then the idle ones are forgotten
	longestDelay = 30 * time.Second // of a login after failures
	maxTried     = 100              // user names that are remembered of one address
	triesOfOne   = 4                // a user's share of an address's failures is one in so many
)

// gate counts what each address does. An IPv6 address stands for its /64.
type gate struct {
	limits  Limits
	longest time.Duration // that a login is held back
	now     func() time.Time

	mu       sync.Mutex
	visitors map[netip.Prefix]*visitor
	clear    time.Time // when the idle ones were forgotten last
}

type visitor struct {
	conns    int
	arrivals *rate.Limiter // nil: no limit
	failures *rate.Limiter
	tried    map[string]*rate.Limiter // failures by user name
}

type verdict uint8

const (
	welcome verdict = iota
	tooMany
	tooFast
)

func newGate(l Limits) *gate {
	return &gate{limits: l, longest: longestDelay, now: time.Now, visitors: map[netip.Prefix]*visitor{}}
}

// address is where a connection comes from, the zero value for what is no IP connection.
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

// visitor finds or makes an entry. The lock is held.
func (g *gate) visitor(from netip.Addr) *visitor {
	key := network(from)
	if v := g.visitors[key]; v != nil {
		return v
	}
	g.forget()
	v := &visitor{}
	if n := g.limits.Arrivals; n > 0 {
		v.arrivals = rate.NewLimiter(rate.Limit(n), n)
	}
	g.visitors[key] = v
	return v
}

// forget drops who has neither connections nor a past. The lock is held.
func (g *gate) forget() {
	now := g.now()
	if len(g.visitors) < maxVisitors && now.Sub(g.clear) < time.Minute {
		return
	}
	g.clear = now
	for key, v := range g.visitors {
		if v.conns == 0 && (v.failures == nil || v.failures.TokensAt(now) >= float64(v.failures.Burst())) {
			delete(g.visitors, key)
		}
	}
}

// enter lets a connection in and counts it.
func (g *gate) enter(from netip.Addr) verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	v := g.visitor(from)
	if g.limits.Connections > 0 && v.conns >= g.limits.Connections {
		return tooMany
	}
	if v.arrivals != nil && !v.arrivals.AllowN(g.now(), 1) {
		return tooFast
	}
	v.conns++
	return welcome
}

// leave is the reverse of enter.
func (g *gate) leave(from netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if v := g.visitors[network(from)]; v != nil && v.conns > 0 {
		v.conns--
	}
}

// failed counts a failed login, for the address and for the user name tried from there.
// The address's share is larger: many people may be behind it.
func (g *gate) failed(from netip.Addr, user string) {
	n := g.limits.Tries
	if n <= 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	v := g.visitor(from)
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

// delay is how long a login as that user from that address has to wait because others failed. It
// may have to wait again afterwards: what is owed beyond the longest wait is not forgotten.
func (g *gate) delay(from netip.Addr, user string) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	v := g.visitors[network(from)]
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

// missing is the time until a limiter has something to give.
func missing(l *rate.Limiter, now time.Time) time.Duration {
	tokens := 1 - l.TokensAt(now)
	if tokens <= 0 {
		return 0
	}
	return time.Duration(tokens / float64(l.Limit()) * float64(time.Second))
}
