package locate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/s2s"
	"github.com/dragoman-im/dragoman/core/s2s/certificate"
)

// attempt is an address that is tried, and what came of it.
type attempt struct {
	host     host
	addr     netip.AddrPort
	evidence certificate.Evidence
	alone    bool // the host has no other address
	conn     net.Conn
	err      error
}

// connect tries the addresses of hosts in their order, a next one whenever one has failed or has not answered for
// a short time (RFC 8305 §5), and returns the first that answers.
func (l *Locator) connect(ctx context.Context, hosts []host) (attempt, error) {
	ctx, cancel := context.WithCancel(ctx)
	r := race{locator: l, next: make(chan attempt), results: make(chan attempt, maxOpen)}
	r.all.Go(func() { l.feed(ctx, hosts, r.next) })
	winner, err := r.run(ctx)
	cancel()
	go func() { // ends at once: ctx is done
		r.all.Wait()
		close(r.results)
	}()
	for late := range r.results {
		if late.conn != nil {
			_ = late.conn.Close()
		}
	}
	return winner, err
}

// race has the attempts to connect to one domain. It belongs to the goroutine of run.
type race struct {
	locator *Locator
	next    chan attempt // the addresses, in order
	results chan attempt
	all     sync.WaitGroup
	open    int
	failed  error // why the last one failed
}

// run returns the first attempt that succeeds.
func (r *race) run(ctx context.Context) (attempt, error) {
	delay := time.NewTimer(0)
	defer delay.Stop()
	due, next := true, r.next
	for next != nil || r.open > 0 {
		from := next
		if !due && r.open > 0 || r.open >= maxOpen {
			from = nil // not yet
		}
		select {
		case a, ok := <-from:
			if !ok {
				next = nil
			} else if r.start(ctx, a) {
				due = false
				delay.Reset(attemptDelay)
			}
		case a := <-r.results:
			r.open--
			if a.err == nil {
				return a, nil
			}
			r.failed = a.err
			due = true
		case <-delay.C:
			due = true
		case <-ctx.Done():
			return attempt{}, r.reason(ctx)
		}
	}
	return attempt{}, r.reason(ctx)
}

// reason is why no attempt has succeeded.
func (r *race) reason(ctx context.Context) error {
	switch {
	case r.failed != nil:
		return r.failed
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		return fmt.Errorf("%w: its servers have no addresses", s2s.ErrNotFound)
	}
}

// start connects to an address. It reports whether an attempt has begun. If the process is opening too many connections, an attempt beside
// others waits until one of those has ended.
func (r *race) start(ctx context.Context, a attempt) bool {
	if a.err != nil { // no address was found
		if !errors.Is(a.err, s2s.ErrNotFound) {
			r.failed = a.err
		}
		return false
	}
	extra := r.open > 0
	if extra {
		select {
		case r.locator.extra <- struct{}{}:
		case first := <-r.results:
			r.results <- first // for run; there is room: one was just taken
			extra = false
		case <-ctx.Done():
			return false
		}
	}
	r.open++
	r.all.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, connectTimeout)
		defer cancel()
		a.conn, a.err = r.locator.options.dial(ctx, a.addr)
		if extra {
			<-r.locator.extra
		}
		r.results <- a
	})
	return true
}

// feed sends the addresses of hosts in their order; those that were not usable a short time ago come last.
func (l *Locator) feed(ctx context.Context, hosts []host, next chan<- attempt) {
	defer close(next)
	var again []attempt
	for _, h := range hosts {
		for _, a := range l.resolve(ctx, h) {
			if a.err == nil && l.failed.has(a.addr.String()) {
				again = append(again, a)
				continue
			}
			if !send(ctx, next, a) {
				return
			}
		}
	}
	for _, a := range again {
		if !send(ctx, next, a) {
			return
		}
	}
}

func send(ctx context.Context, next chan<- attempt, a attempt) bool {
	select {
	case next <- a:
		return true
	case <-ctx.Done():
		return false
	}
}

// resolve returns an attempt for each address of a host, or one with an error.
func (l *Locator) resolve(ctx context.Context, h host) []attempt {
	evidence := h.evidence
	ips, secure, err := h.ips, false, error(nil)
	if h.name != "" {
		ips, secure, err = l.addresses(ctx, h.name)
	}
	if err == nil && secure && h.secure && l.options.DANE {
		evidence.TLSA, err = l.tlsa(ctx, h)
	}
	if err != nil {
		return []attempt{{host: h, err: err}}
	}
	var all []attempt
	for _, ip := range ips {
		if l.allowed(ip) && len(all) < maxAddresses {
			all = append(all, attempt{host: h, addr: netip.AddrPortFrom(ip.Unmap(), h.port), evidence: evidence})
		}
	}
	switch {
	case len(ips) == 0:
		return []attempt{{host: h, err: s2s.ErrNotFound}}
	case len(all) == 0:
		return []attempt{{host: h, err: errNetwork}}
	}
	all[0].alone = len(all) == 1
	return all
}

// tlsa returns the TLSA records of a host, if DNSSEC protects them.
func (l *Locator) tlsa(ctx context.Context, h host) ([]certificate.TLSA, error) {
	a, err := l.lookup(ctx, "_"+strconv.Itoa(int(h.port))+"._tcp."+h.name, kindTLSA)
	if err != nil {
		return nil, err // RFC 7672 §2.1.2: the host is not connected to, or suppressing the records would be enough
	}
	if !a.secure {
		return nil, nil
	}
	return a.tlsa, nil
}

// addresses returns those of a name, both families in turn, beginning with IPv6 (RFC 8305 §4).
func (l *Locator) addresses(ctx context.Context, name string) (ips []netip.Addr, secure bool, err error) {
	if ip, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{ip}, false, nil
	}
	type result struct {
		answer answer
		err    error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	four, six := make(chan result, 1), make(chan result, 1)
	for k, to := range map[kind]chan result{kindA: four, kindAAAA: six} {
		l.all.Go(func() {
			a, err := l.lookup(ctx, name, k)
			to <- result{a, err}
		})
	}
	var a, b result
	select {
	case a = <-six:
		b = late(four, a.answer)
	case b = <-four:
		a = late(six, b.answer)
	}
	ips = alternate(a.answer.ips, b.answer.ips)
	secure = a.answer.secure && len(a.answer.ips) > 0 || b.answer.secure && len(b.answer.ips) > 0
	if len(ips) == 0 {
		err = errors.Join(a.err, b.err)
	}
	return ips, secure, err
}

// late waits for the second answer; not for long if the first one has addresses (RFC 8305 §3).
func late[R any](from <-chan R, first answer) (r R) {
	if len(first.ips) == 0 {
		return <-from
	}
	wait := time.NewTimer(familyDelay)
	defer wait.Stop()
	select {
	case r = <-from:
	case <-wait.C:
	}
	return r
}

func alternate(six, four []netip.Addr) (all []netip.Addr) {
	for len(six) > 0 || len(four) > 0 {
		if len(six) > 0 {
			all, six = append(all, six[0]), six[1:]
		}
		if len(four) > 0 {
			all, four = append(all, four[0]), four[1:]
		}
	}
	return all
}
