package last

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NS is the namespace of XEP-0012.
const NS = "jabber:iq:last"

// Store knows when an account was available last; the zero time where it never was.
type Store interface {
	LastSeen(ctx context.Context, account jid.JID) (at time.Time, status string, err error)
}

// Last serves a host.
type Last struct {
	host    *router.Host
	store   Store
	shares  func(ctx context.Context, account, other jid.JID) bool
	started time.Time
}

// New registers the feature; shares tells whether other may see the account's presence.
func New(h *router.Host, s Store, shares func(ctx context.Context, account, other jid.JID) bool) *Last {
	l := &Last{h, s, shares, time.Now()}
	h.HandleIQ(NS, l.iq)
	return l
}

// Features are what the host's disco#info says about this feature.
func (l *Last) Features() []string { return []string{NS} }

func (l *Last) iq(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	if q.Stanza.Type != stanza.TypeGet || !q.Payload.Is(NS, "query") {
		return nil, stanza.ServiceUnavailable("")
	}
	if q.Account.IsZero() {
		return query(time.Since(l.started), ""), nil // XEP-0012 §6
	}
	// "forbidden" would tell a stranger that the account exists (RFC 6121 §11).
	if !q.Own() && !l.shares(ctx, q.Account, q.Stanza.From.Bare()) {
		return nil, stanza.ServiceUnavailable("")
	}
	for _, s := range l.host.Sessions(q.Account) {
		if s.Presence() != nil {
			return query(0, ""), nil // XEP-0012 §4
		}
	}
	at, status, err := l.store.LastSeen(ctx, q.Account)
	if err != nil {
		return nil, fmt.Errorf("read last activity of %s: %w", q.Account, err)
	}
	if at.IsZero() {
		return nil, stanza.ServiceUnavailable("")
	}
	return query(time.Since(at), status), nil
}

func query(d time.Duration, status string) *stanza.Element {
	seconds := strconv.FormatInt(max(0, int64(d/time.Second)), 10)
	return stanza.TextElement(NS, "query", status).With("seconds", seconds)
}
