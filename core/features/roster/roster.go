package roster

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of this feature.
const (
	NS            = "jabber:iq:roster"
	nsVersion     = "urn:xmpp:features:rosterver"    // RFC 6121 §2.6.1
	nsPreApproval = "urn:xmpp:features:pre-approval" // RFC 6121 §3.4
)

// Privileges says what entities other than the account itself may do with the host's rosters (XEP-0356 §4.1).
type Privileges interface {
	RosterAccess(from jid.JID) (get, set bool)
	// Pushes returns the domains that are told of every change of a roster (XEP-0356 §4.4).
	Pushes() []jid.JID
}

// Options are the parameters of New; each may be nil.
type Options struct {
	Privileges Privileges
	Log        *slog.Logger
}

// Roster answers for the rosters of one host.
type Roster struct {
	Options
	host       *router.Host
	store      Store
	watcher    router.Watcher
	contacts   *router.Slot[contacts]
	interested *router.Flag // the session has asked for the roster (RFC 6121 §2.1.6)

	// GroupsCut counts the groups that had more members than limits.group_members.
	GroupsCut atomic.Uint64

	shared     atomic.Pointer[groups]
	announcing atomic.Bool // a change of the groups is being announced
	hidden     func(ctx context.Context, a *router.Account, other jid.JID) (bool, error)
}

// New returns the feature.
func New(h *router.Host, s Store, o Options) *Roster {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	r := &Roster{Options: o, host: h, store: s, interested: &router.Flag{Name: "interested"}}
	r.shared.Store(newGroups(nil))
	h.AnswerNobody("roster", map[string]router.IQHandler{NS: r.nobody})
	r.contacts = &router.Slot[contacts]{Load: r.loadContacts}
	return r
}

// Watch sets the Watcher that sends presence after changes of subscriptions. Call it before the host is
// attached.
func (r *Roster) Watch(w router.Watcher) { r.watcher = w }

// Feature declares the feature.
func (r *Roster) Feature() router.Feature {
	advertised := []*stanza.Element{stanza.NewElement(nsVersion, "ver"), stanza.NewElement(nsPreApproval, "sub")} // RFC 6121 §2.6.1, §3.4
	iq := map[string]router.IQHandler{NS: r.iq}
	return router.Feature{
		Name: "roster", AccountIQ: iq,
		HostDisco:      router.Disco{Info: disco.Info{Features: []string{NS}}},
		StreamFeatures: func(context.Context) []*stanza.Element { return advertised },
		Slots:          []router.AccountSlot{r.contacts},
		Counters:       []router.Counter{{Setting: "limits.group_members", Value: &r.GroupsCut}},
		Flags:          []*router.Flag{r.interested},
		Specs:          []spec.Spec{{Number: "0237", Title: "Roster Versioning", Version: "1.3", State: spec.Complete, Note: "Server."}},
	}
}

// iq handles a roster get or set by the account's own sessions or by a privileged entity.
func (r *Roster) iq(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	if !q.Payload.Is(NS, "query") {
		return nil, stanza.ServiceUnavailable("")
	}
	get := q.Stanza.Type == stanza.TypeGet
	privileged := false
	if !q.Own() {
		if !r.mayAccess(q.Stanza) {
			return nil, stanza.Forbidden("") // RFC 6121 §2.1.5, XEP-0356 §4.3
		}
		privileged = true
	}
	if get {
		return r.get(ctx, q)
	}
	return r.set(ctx, q, privileged)
}

// mayAccess reports whether the sender is an entity that may get or set rosters of others.
func (r *Roster) mayAccess(st *stanza.Stanza) bool {
	if r.Privileges == nil {
		return false
	}
	mayGet, maySet := r.Privileges.RosterAccess(st.From)
	return st.Type == stanza.TypeGet && mayGet || st.Type == stanza.TypeSet && maySet
}

// nobody answers for an address without an account as for the account of somebody else.
func (r *Roster) nobody(_ context.Context, q *router.IQ) (*stanza.Element, error) {
	if !q.Payload.Is(NS, "query") || r.mayAccess(q.Stanza) {
		return nil, stanza.ServiceUnavailable("")
	}
	return nil, stanza.Forbidden("")
}

// get handles a roster get (RFC 6121 §2.1.3, §2.6).
func (r *Roster) get(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	for range q.Payload.Named(NS, "item") {
		return nil, stanza.BadRequest("a roster get holds no item") // RFC 6121 §2.1.3
	}
	if q.Session != nil && q.Own() {
		q.Session.Set(r.interested, true) // before reading, so that no push is missed
	}
	cached, versioned := q.Payload.LookupAttr("", "ver")
	account := q.Account.JID()
	has := r.storedVersion(account, cached)
	items, stored, err := r.store.Roster(ctx, account, has)
	switch {
	case err != nil:
		return nil, condition(err)
	case has != "" && stored == has:
		return nil, nil // RFC 6121 §2.6.3: the client has it already
	}
	query := stanza.NewElement(NS, "query")
	if versioned {
		query.With("ver", string(r.version(account, stored))) // before the groups are read: they are not older
	}
	for _, item := range r.merge(account, items) {
		query.Add(item.Element())
	}
	return query, nil
}

// Requests implements router.Subscriptions.
func (r *Roster) Requests(ctx context.Context, a *router.Account) ([]*stanza.Stanza, error) {
	list, err := r.store.RosterRequests(ctx, a.JID())
	shared := r.shared.Load()
	return slices.DeleteFunc(list, func(st *stanza.Stanza) bool { return shared.share(a.JID(), st.From.Bare()) }), err
}

// condition turns an error of the store that the sender has caused into a stanza error.
func condition(err error) error {
	switch {
	case errors.Is(err, ErrFull):
		return stanza.ResourceConstraint("your roster is full")
	case errors.Is(err, ErrNoAccount):
		return stanza.ItemNotFound("") // RFC 6121 §2.1.4
	}
	return err
}
