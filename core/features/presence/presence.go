package presence

import (
	"context"
	"log/slog"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// goneTimeout limits the time of Ended, when the session's connection is closed already.
const goneTimeout = 30 * time.Second

// Store keeps when an account was last available.
type Store interface {
	// SetLastSeen does not wait.
	SetLastSeen(account jid.JID, at time.Time, status string)
	// LastSeen returns the zero time for an account that was never available.
	LastSeen(ctx context.Context, account jid.JID) (at time.Time, status string, err error)
}

// Arrival is called when a session begins to receive messages to the bare JID: it has become available
// with a non-negative priority. p.Session is the session.
type Arrival func(ctx context.Context, p *router.Pass) error

// Presence is the presence handler of one host.
type Presence struct {
	host     *router.Host
	subs     router.Subscriptions
	store    Store
	log      *slog.Logger
	arrivals []Arrival
	watchers []func(ctx context.Context, p *router.Pass)
	left     []func(st *stanza.Stanza, route func(*stanza.Stanza))
}

var (
	_ router.PresenceHandler = (*Presence)(nil)
	_ router.Watcher         = (*Presence)(nil)
)

// New returns the presence handler of a host. log may be nil.
func New(h *router.Host, subs router.Subscriptions, s Store, log *slog.Logger) *Presence {
	if log == nil {
		log = slog.Default()
	}
	return &Presence{host: h, subs: subs, store: s, log: log}
}

// Feature declares the feature.
func (h *Presence) Feature() router.Feature { return router.Feature{Name: "presence", Presence: h} }

// OnArrival adds a function that is called when a session begins to receive messages. Call it before the
// host is attached.
func (h *Presence) OnArrival(a Arrival) { h.arrivals = append(h.arrivals, a) }

// OnAvailable adds a function that is called for every available presence that a session broadcasts, after the broadcast.
// Call it before the host is attached.
func (h *Presence) OnAvailable(f func(ctx context.Context, p *router.Pass)) {
	h.watchers = append(h.watchers, f)
}

// OnUnavailable adds a function that is called with the unavailable presence of every session that was available, by the goroutine
// that ends it. Call it before the host is attached.
func (h *Presence) OnUnavailable(f func(st *stanza.Stanza, route func(*stanza.Stanza))) {
	h.left = append(h.left, f)
}

// Sent implements router.PresenceHandler.
func (h *Presence) Sent(ctx context.Context, p *router.Pass) error {
	if p.Stanza.To.IsZero() {
		if p.Stanza.Type == "" {
			return h.available(ctx, p)
		}
		return h.unavailable(ctx, p)
	}
	switch p.Stanza.Type {
	case stanza.TypeSubscribe, stanza.TypeSubscribed, stanza.TypeUnsubscribe, stanza.TypeUnsubscribed:
		return h.subs.Sent(ctx, p)
	case "", stanza.TypeUnavailable:
		return h.directed(p)
	}
	return nil // an error, or a probe, which the receiver answers (RFC 6121 §4.3)
}

// Received implements router.PresenceHandler.
func (h *Presence) Received(ctx context.Context, p *router.Pass) error {
	switch p.Stanza.Type {
	case stanza.TypeSubscribe, stanza.TypeSubscribed, stanza.TypeUnsubscribe, stanza.TypeUnsubscribed:
		return h.subs.Received(ctx, p)
	case stanza.TypeProbe:
		return h.probed(ctx, p)
	case stanza.TypeUnavailable:
		h.removeDirected(p)
	}
	return nil
}

// ProbedNobody answers a probe of an address without an account like an account that the sender is not
// subscribed to (RFC 6121 §4.3.2).
func (h *Presence) ProbedNobody(_ context.Context, p *router.Pass) error {
	p.Route(reply(p, p.Stanza.To.Bare(), stanza.TypeUnsubscribed))
	return router.ErrStop
}

// Shares reports whether other is subscribed to the account.
func (h *Presence) Shares(ctx context.Context, a *router.Account, other jid.JID) bool {
	from, _, err := h.subs.Subscription(ctx, a, other.Bare())
	if err != nil {
		h.log.Error("subscription not looked up", "account", a.JID(), "err", err)
	}
	return from
}

// Granted sends the current presence to a contact that may see it from now on (RFC 6121 §3.1.5).
func (h *Presence) Granted(a *router.Account, contact jid.JID, route func(*stanza.Stanza)) {
	for _, s := range a.Sessions() {
		if now := s.Presence(); now != nil {
			route(now.Stanza.WithTo(contact))
		}
	}
}

// Revoked takes the presence back from a contact that may no longer see it (RFC 6121 §3.2.2).
// That includes directed presence (§4.6.1).
func (h *Presence) Revoked(a *router.Account, contact jid.JID, route func(*stanza.Stanza)) {
	for _, s := range a.Sessions() {
		if s.RemoveDirected(contact) || s.Presence() != nil {
			route(stanza.NewPresence(contact, s.JID(), stanza.TypeUnavailable))
		}
	}
}
