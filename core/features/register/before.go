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

// Limits on making accounts.
const (
	interval   = 10 * time.Minute // between two accounts from one address
	maxTaken   = 10               // names in that time that may turn out to be taken, since that shows which accounts exist
	maxWaiting = 10_000           // addresses that are remembered for that
)

// beforeLogin answers an IQ of a connection that has not logged in. It may wait for the
// store; nothing is answered (nil) to what is no request.
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
	if !r.limit.take(from, time.Now()) {
		return stanza.ResourceConstraint("an account was made from your address just now, or names were tried: wait ten minutes")
	}
	err = r.store.Register(ctx, account, password)
	if err != nil {
		r.limit.giveBack(from, errors.Is(err, ErrTaken))
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

// limiter lets an address make one account in a while, and find out about a few names.
type limiter struct {
	mu    sync.Mutex
	known map[netip.Prefix]visitor
}

// visitor is what an address has done in the interval that began when it first did something.
type visitor struct {
	since time.Time
	made  bool
	taken int
}

func newLimiter() *limiter { return &limiter{known: map[netip.Prefix]visitor{}} }

// network is what one subscriber has: an address, or a /64.
func network(a netip.Addr) netip.Prefix {
	a = a.Unmap()
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.WithZone("").Prefix(bits)
	return p
}

// take allows one account to be made, which giveBack undoes.
func (l *limiter) take(a netip.Addr, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, ok := l.known[network(a)]
	switch {
	case ok && now.Sub(v.since) >= interval, !ok && l.room(now):
		v = visitor{since: now}
	case !ok, v.made, v.taken >= maxTaken:
		return false
	}
	v.made = true
	l.known[network(a)] = v
	return true
}

// room reports whether one more address can be remembered. The lock is held.
func (l *limiter) room(now time.Time) bool {
	if len(l.known) >= maxWaiting {
		for k, v := range l.known {
			if now.Sub(v.since) >= interval {
				delete(l.known, k)
			}
		}
	}
	return len(l.known) < maxWaiting
}

// giveBack lets an address that made nothing try again; a name that was taken is remembered.
func (l *limiter) giveBack(a netip.Addr, taken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, ok := l.known[network(a)]
	if !ok {
		return
	}
	v.made = false
	if taken {
		v.taken++
	}
	if v.taken == 0 {
		delete(l.known, network(a))
		return
	}
	l.known[network(a)] = v
}
