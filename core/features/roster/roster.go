package roster

import (
	"context"
	"errors"
	"log/slog"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of this feature.
const (
	NS            = "jabber:iq:roster"
	nsVersion     = "urn:xmpp:features:rosterver"    // RFC 6121 §2.6.1
	nsPreApproval = "urn:xmpp:features:pre-approval" // RFC 6121 §3.4
)

// Watcher is told whom an account begins and ends to show its presence to; route sends
// a stanza on its way. features/presence is one.
type Watcher interface {
	Granted(account, contact jid.JID, route func(*stanza.Stanza))
	Revoked(account, contact jid.JID, route func(*stanza.Stanza))
}

// Privileges tells what an entity that is not the account itself may do with the
// rosters of the host (XEP-0356 §4.1); privileged is one that has any privilege.
type Privileges interface {
	RosterAccess(from jid.JID) (get, set, privileged bool)
}

// Options are what a roster is joined to; each may be nil.
type Options struct {
	Watcher    Watcher
	Privileges Privileges
	Log        *slog.Logger
}

// Roster keeps the rosters of one host.
type Roster struct {
	host  *router.Host
	store Store
	Options
}

// New makes the rosters of a host and registers their IQ handler.
func New(h *router.Host, s Store, o Options) *Roster {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	r := &Roster{host: h, store: s, Options: o}
	h.HandleIQ(NS, r.iq)
	return r
}

// SetWatcher is for a watcher that needs the roster first; call it before the host is attached.
func (r *Roster) SetWatcher(w Watcher) { r.Watcher = w }

// Features are what the host's disco#info says about this feature.
func (r *Roster) Features() []string { return []string{NS} }

// StreamFeatures are advertised to a client that has logged in (RFC 6121 §2.6.1, §3.4).
func (r *Roster) StreamFeatures() []*stanza.Element {
	return []*stanza.Element{stanza.NewElement(nsVersion, "ver"), stanza.NewElement(nsPreApproval, "sub")}
}

// iq answers a roster get or set of the account's own sessions or of a privileged entity.
func (r *Roster) iq(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	if !q.Payload.Is(NS, "query") {
		return nil, stanza.ServiceUnavailable("")
	}
	get := q.Stanza.Type == stanza.TypeGet
	privileged := false
	if !q.Own() {
		// Another answer than for accounts that do not exist would tell strangers which do.
		if q.Account.IsZero() || r.Privileges == nil {
			return nil, stanza.ServiceUnavailable("")
		}
		mayGet, maySet, known := r.Privileges.RosterAccess(q.Stanza.From)
		switch {
		case !known:
			return nil, stanza.ServiceUnavailable("")
		case get && !mayGet, !get && !maySet:
			return nil, stanza.Forbidden("") // XEP-0356 §4.3
		}
		privileged = true
	}
	if get {
		return r.get(ctx, q)
	}
	return r.set(ctx, q, privileged)
}

// get is RFC 6121 §2.1.3 with §2.6.
func (r *Roster) get(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	for range q.Payload.Named(NS, "item") {
		return nil, stanza.BadRequest("a roster get holds no item") // RFC 6121 §2.1.3
	}
	if q.Own() {
		q.Session.SetInterested(true) // before reading, so that no push is missed
	}
	cached, versioned := q.Payload.LookupAttr("", "ver")
	items, version, err := r.store.Roster(ctx, q.Account, Version(cached))
	switch {
	case err != nil:
		return nil, condition(err)
	case string(version) == cached:
		return nil, nil // RFC 6121 §2.6.3: the client has it already
	}
	query := stanza.NewElement(NS, "query")
	if versioned {
		query.With("ver", string(version))
	}
	for _, item := range items {
		query.Add(item.element())
	}
	return query, nil
}

// Contacts lists who sees the account's presence (from) and whose presence it sees (to).
func (r *Roster) Contacts(ctx context.Context, account jid.JID) (from, to []jid.JID, err error) {
	items, err := r.store.RosterContacts(ctx, account)
	if err != nil {
		return nil, nil, err
	}
	for _, item := range items {
		if item.Subscription.HasFrom() {
			from = append(from, item.JID)
		}
		if item.Subscription.HasTo() {
			to = append(to, item.JID)
		}
	}
	return from, to, nil
}

// Subscription tells whether other sees the account's presence (from) and the reverse (to).
func (r *Roster) Subscription(ctx context.Context, account, other jid.JID) (from, to bool, err error) {
	e, err := r.store.RosterEntry(ctx, account, other.Bare())
	if err != nil {
		return false, false, err
	}
	return e.Subscription.HasFrom(), e.Subscription.HasTo(), nil
}

// Requests lists the subscription requests that the account has not answered yet.
func (r *Roster) Requests(ctx context.Context, account jid.JID) ([]*stanza.Stanza, error) {
	return r.store.RosterRequests(ctx, account)
}

// condition turns an error of the store into one for the sender where it is his.
func condition(err error) error {
	switch {
	case errors.Is(err, ErrFull):
		return stanza.ResourceConstraint("your roster is full")
	case errors.Is(err, ErrNoAccount):
		return stanza.ItemNotFound("") // RFC 6121 §2.1.4
	}
	return err
}

// Listed tells whether somebody is in the account's roster.
func (r *Roster) Listed(ctx context.Context, account, other jid.JID) (bool, error) {
	e, err := r.store.RosterEntry(ctx, account, other.Bare())
	return e.Listed, err
}
