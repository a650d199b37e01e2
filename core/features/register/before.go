package register

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Limits on creating accounts.
const (
	interval     = 10 * time.Minute // between two accounts created from one IP address
	maxTaken     = 10               // taken names tried in that time: more would reveal which accounts exist
	maxAddresses = 10_000           // IP addresses in the limiter
)

// beforeLogin answers an IQ of a connection that has not logged in. It returns nil for a result or an
// error. It may wait for the store.
func (r *Register) beforeLogin(ctx context.Context, from netip.Addr, iq *stanza.Stanza) *stanza.Stanza {
	if !iq.IsRequest() {
		return nil
	}
	answer, err := r.answer(ctx, from, iq)
	if err == nil {
		return iq.Result(answer)
	}
	var e *stanza.Error
	if !errors.As(err, &e) {
		e = r.host.LogError(err, "account not made")
	}
	return iq.ErrorReply(e)
}

func (r *Register) answer(ctx context.Context, from netip.Addr, iq *stanza.Stanza) (*stanza.Element, error) {
	query := iq.FirstChild()
	switch {
	case !query.Is(NS, "query") || !iq.To.IsZero() && iq.To != r.host.Domain():
		return nil, stanza.NotAuthorized("log in first")
	case iq.Type == stanza.TypeGet:
		return stanza.NewElement(NS, "query").Add(
			stanza.TextElement(NS, "instructions", "Choose a user name and a password."),
			stanza.NewElement(NS, "username"), stanza.NewElement(NS, "password"),
		), nil
	case query.Child(NS, "remove") != nil:
		return nil, stanza.UnexpectedRequest("") // XEP-0077 §3.2
	}
	return nil, r.create(ctx, from, query)
}

func (r *Register) create(ctx context.Context, from netip.Addr, query *stanza.Element) error {
	name, password := query.ChildText(NS, "username"), query.ChildText(NS, "password")
	if name == "" || password == "" {
		return stanza.NotAcceptable("give a user name and a password") // XEP-0077 §3.1
	}
	account, err := jid.New(name, r.host.Domain().Domain(), "")
	if err != nil {
		return stanza.JIDMalformed("this user name cannot be used")
	}
	if !r.limit.reserve(from, time.Now()) {
		return stanza.ResourceConstraint("an account was made from your address just now, or names were tried: wait ten minutes")
	}
	err = r.store.Register(ctx, account, password)
	if err != nil {
		r.limit.release(from, errors.Is(err, ErrTaken))
	}
	switch {
	case errors.Is(err, ErrTaken):
		return stanza.Conflict("this name is taken")
	case errors.Is(err, ErrPassword):
		return stanza.NotAcceptable("this password cannot be used")
	case err == nil:
		r.Log.Info("account made by registration", "account", account, "from", from)
	}
	return err
}

// limiter limits the accounts that are created, and the taken names that are tried, from one IP network.
type limiter struct {
	mu    sync.Mutex
	known map[netip.Prefix]attempts
}

// attempts counts the requests of one network in the interval that began with the first one.
type attempts struct {
	since   time.Time
	created bool
	taken   int
}

func newLimiter() *limiter { return &limiter{known: map[netip.Prefix]attempts{}} }

// network returns the IP network that counts as one subscriber: an IPv4 address or an IPv6 /64.
func network(a netip.Addr) netip.Prefix {
	a = a.Unmap()
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.WithZone("").Prefix(bits)
	return p
}

// reserve reports whether an account may be created, and counts it; release undoes that.
func (l *limiter) reserve(a netip.Addr, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, ok := l.known[network(a)]
	switch {
	case ok && now.Sub(v.since) >= interval, !ok && l.hasRoom(now):
		v = attempts{since: now}
	case !ok, v.created, v.taken >= maxTaken:
		return false
	}
	v.created = true
	l.known[network(a)] = v
	return true
}

// hasRoom reports whether one more network can be added. The lock is held.
func (l *limiter) hasRoom(now time.Time) bool {
	if len(l.known) >= maxAddresses {
		for k, v := range l.known {
			if now.Sub(v.since) >= interval {
				delete(l.known, k)
			}
		}
	}
	return len(l.known) < maxAddresses
}

// release undoes reserve after a failure; taken names stay counted.
func (l *limiter) release(a netip.Addr, taken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, ok := l.known[network(a)]
	if !ok {
		return
	}
	v.created = false
	if taken {
		v.taken++
	}
	if v.taken == 0 {
		delete(l.known, network(a))
		return
	}
	l.known[network(a)] = v
}
