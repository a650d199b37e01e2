package push

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces.
const (
	NS        = "urn:xmpp:push:0"
	nsSummary = "urn:xmpp:push:summary"
	nsPubsub  = "http://jabber.org/protocol/pubsub"
	nsOptions = "http://jabber.org/protocol/pubsub#publish-options"
)

// Limits of what a client may have stored with a service.
const (
	maxNode    = 1024
	maxOptions = 4096
)

// ErrFull is returned by a Store if an account would have too many services.
var ErrFull = errors.New("too many push services")

// Registration is an enabled service.
type Registration struct {
	Service jid.JID
	Node    string // may be empty
	Options string // form that each notification contains, as XML; "" for none
	// Identity is what the client is that has enabled it (notification.Identity); "" if that was not known. It replaces none that was.
	Identity string
}

// Store keeps the enabled services.
type Store interface {
	Pushes(ctx context.Context, account jid.JID) ([]Registration, error)
	// AddPush adds a service or replaces its options; ErrFull if there would be more than limit.
	AddPush(ctx context.Context, account jid.JID, r Registration, limit int) error
	// SetIdentity sets the identity of a service, if it is still enabled.
	SetIdentity(ctx context.Context, account jid.JID, r Registration) error
	// RemovePush removes a node of a service, or all if node is nil.
	RemovePush(ctx context.Context, account, service jid.JID, node *string) error
	// Pending returns the number of subscription requests to the account that it has not answered.
	Pending(ctx context.Context, account jid.JID) (int, error)
}

// Options are the parameters of New.
type Options struct {
	Devices  int  // services of one account
	Errors   int  // in a row, after which a service is disabled
	Contents bool // whether notifications contain the sender and the text of the last message
	Rooms    Rooms
	// Blocks reports whether an account has blocked an address (XEP-0191).
	Blocks func(ctx context.Context, a *router.Account, other jid.JID) (bool, error)
	Bookmarks
	Log *slog.Logger
}

// Push is the feature.
type Push struct {
	Options
	host      *router.Host
	store     Store
	accounts  *router.Slot[services]
	bookmarks *router.Slot[bookmarked]
	now       func() time.Time

	unknown unknown

	full, failed atomic.Uint64 // services refused, and disabled because of errors
}

// New returns the feature.
func New(h *router.Host, s Store, o Options) *Push {
	p := &Push{Options: o, host: h, store: s, now: time.Now}
	p.accounts = &router.Slot[services]{Load: p.load}
	p.bookmarks = &router.Slot[bookmarked]{Load: p.loadBookmarks}
	return p
}

// Feature declares the feature.
func (p *Push) Feature() router.Feature {
	info := disco.Info{Features: []string{NS}}
	return router.Feature{
		Name: "push",
		Stages: []router.Stage{
			{Name: "ended push", Position: router.Copy, Inbound: p.ended, Skip: endsNothing},
			{Name: "push", Position: router.Copy, Inbound: p.inbound, Undelivered: p.undelivered, Detached: p.detached, Skip: isNoMessage, Shared: true},
		},
		AccountIQ:    map[string]router.IQHandler{NS: router.Own(p.iq)},
		AccountDisco: router.Disco{Info: info}, HostDisco: router.Disco{Info: info},
		Slots:    []router.AccountSlot{p.accounts, p.bookmarks},
		Counters: []router.Counter{{Setting: "push.devices", Value: &p.full}, {Setting: "push.errors", Value: &p.failed}},
		Specs: []spec.Spec{
			{Number: "0357", Title: "Push Notifications", Version: "0.4.1", State: spec.Complete, Note: "Server. For messages to accounts and in rooms."},
			{Number: "0372", Title: "References", Version: "0.7.1", State: spec.Partial, Note: "Mentions: in the server for push notifications from rooms, in gateways both ways."},
			{Number: "0492", Title: "Chat notification settings", Version: "0.2.0", State: spec.Complete, Note: "Server: push notifications from rooms follow them, as the identity of the client says that has enabled them; that of a phone as long as it is not known."},
			{Number: "0513", Title: "Explicit Mentions", Version: "0.1.0", State: spec.Partial, Note: "Followed for push notifications from rooms, which have no permissions for mentions; in gateways people both ways, everybody from the network."},
		},
	}
}

// load reads the services of an account.
func (p *Push) load(ctx context.Context, a *router.Account) (*services, error) {
	list, err := p.store.Pushes(ctx, a.JID())
	if err != nil {
		return nil, err
	}
	s := &services{}
	for _, r := range list {
		s.list = append(s.list, &service{Registration: r})
	}
	return s, nil
}

// iq enables or disables a service (XEP-0357 §5, §6).
func (p *Push) iq(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	to, err := jid.Parse(q.Payload.Attr("jid"))
	if q.Stanza.Type != stanza.TypeSet || err != nil {
		return nil, stanza.BadRequest("")
	}
	node, given := q.Payload.LookupAttr("", "node")
	if len(node) > maxNode {
		return nil, stanza.BadRequest("the node is too long")
	}
	account := q.Account.JID()
	switch q.Payload.Local {
	case "disable":
		which := &node
		if !given {
			which = nil
		}
		return nil, p.disable(ctx, q.Account, to, which)
	case "enable":
		options, err := readOptions(q.Payload)
		if err != nil {
			return nil, err
		}
		before, r := p.accounts.Loaded(q.Account), Registration{to, node, options, identityOf(q.Session)}
		err = p.store.AddPush(ctx, account, r, p.Devices)
		if errors.Is(err, ErrFull) {
			p.full.Add(1)
			return nil, stanza.ResourceConstraint("you have enabled too many push services: disable one first")
		}
		if err != nil {
			return nil, fmt.Errorf("enable push service of %s: %w", account, err)
		}
		p.accounts.Invalidate(q.Account) // and with it what is known about failures
		if before == nil || len(before.list) == 0 {
			p.Rooms.Enabled()
		}
		if q.Session != nil && r.Identity == "" {
			p.learn(ctx, q.Session, r)
		}
		return nil, nil
	}
	return nil, stanza.BadRequest("")
}

// readOptions returns the form of an enable request (XEP-0357 §5).
func readOptions(enable *stanza.Element) (string, error) {
	x := enable.Child(form.NS, "x")
	if x == nil {
		return "", nil
	}
	f, err := form.Parse(x)
	if err != nil {
		return "", err
	}
	if f.Kind != form.Submit || f.FormType() != nsOptions || x.EncodedLen() > maxOptions {
		return "", stanza.BadRequest("the form has to be a short one of publish options")
	}
	return x.String(), nil
}

// disable removes a node of a service, or all if node is nil.
func (p *Push) disable(ctx context.Context, a *router.Account, to jid.JID, node *string) error {
	if err := p.store.RemovePush(ctx, a.JID(), to, node); err != nil {
		return fmt.Errorf("disable push service of %s: %w", a.JID(), err)
	}
	p.accounts.Invalidate(a)
	return nil
}
