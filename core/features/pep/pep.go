package pep

import (
	"context"
	"log/slog"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Contacts are what an account knows about others.
type Contacts interface {
	// Contacts and Subscription are those of router.Subscriptions, without blocked contacts.
	Contacts(ctx context.Context, a *router.Account) (from, to []jid.JID, err error)
	Subscription(ctx context.Context, a *router.Account, other jid.JID) (from, to bool, err error)
	// InGroup reports whether a contact is in one of the groups of the roster.
	InGroup(ctx context.Context, a *router.Account, contact jid.JID, groups []string) (bool, error)
	Blocks(ctx context.Context, a *router.Account, other jid.JID) (bool, error)
}

// Options are the parameters of New.
type Options struct {
	Contacts Contacts
	Limits   func() pubsub.Limits
	Log      *slog.Logger
	// Committed is called for each change of items: see pubsub.Options. May be nil.
	Committed func(ctx context.Context, c pubsub.Committed)
	// Remote calls visit for the sessions that a contact on another host is known to have, with what they want. May be nil.
	Remote func(a *router.Account, contact jid.JID, visit func(session jid.JID, wants *disco.Capabilities))
}

// PEP is the publish-subscribe service of each account of one host.
type PEP struct {
	Options
	host   *router.Host
	engine *pubsub.Engine
	nodes  *router.Slot[pubsub.Nodes]
}

// New returns the feature. Call Stop in the end.
func New(h *router.Host, s pubsub.Store, o Options) *PEP {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	p := &PEP{Options: o, host: h}
	none := pubsub.NewNodes(nil, 0) // shared by all accounts without nodes
	p.nodes = &router.Slot[pubsub.Nodes]{Load: func(ctx context.Context, a *router.Account) (*pubsub.Nodes, error) {
		nodes, err := s.Nodes(ctx, a.JID())
		if nodes.Len() == 0 {
			nodes = none
		}
		return nodes, err
	}}
	p.engine = pubsub.New(pubsub.Options{
		Accounts: true, Defaults: pubsub.AccountDefaults, Limits: o.Limits, Host: services{p}, Store: s, Log: o.Log, Committed: o.Committed, Available: p.available,
	})
	handlers := map[string]router.IQHandler{pubsub.NS: p.iq, pubsub.NSOwner: p.iq}
	if p.Remote == nil {
		p.Remote = func(*router.Account, jid.JID, func(jid.JID, *disco.Capabilities)) {}
	}
	h.AnswerNobody("pep", handlers) // as for an account without nodes
	return p
}

// Stop waits until ctx ends for the requests that are being handled.
func (p *PEP) Stop(ctx context.Context) { p.engine.Stop(ctx) }

// Engine returns the engine of the accounts, for parts of the server that publish in the name of an account.
func (p *PEP) Engine() *pubsub.Engine { return p.engine }

// Feature declares the feature.
func (p *PEP) Feature() router.Feature {
	return router.Feature{
		Name:         "pep",
		Stages:       []router.Stage{{Name: "pep", Position: router.Refuse, Inbound: p.received, Skip: skips}},
		AccountIQ:    map[string]router.IQHandler{pubsub.NS: p.iq, pubsub.NSOwner: p.iq},
		AccountDisco: router.Disco{Info: p.engine.Discovery(), Source: p.engine},
		Slots:        []router.AccountSlot{p.nodes},
		Counters: []router.Counter{
			{Setting: "pubsub.nodes", Value: &p.engine.Counters.Nodes},
			{Setting: "pubsub.items", Value: &p.engine.Counters.Items},
			{Setting: "pubsub.bytes", Value: &p.engine.Counters.Bytes},
			{Setting: "pubsub.payload", Value: &p.engine.Counters.Payload},
			{Setting: "pubsub.subscriptions", Value: &p.engine.Counters.Subscriptions},
		},
		Specs: specs(),
	}
}

func specs() []spec.Spec {
	all := []spec.Spec{
		{Number: "0163", Title: "Personal Eventing Protocol", Version: "1.2.2", State: spec.Complete, Note: "Server."},
	}
	for _, s := range []spec.Spec{
		{Number: "0222", Title: "Persistent Storage of Public Data via PubSub", Version: "1.0"},
		{Number: "0223", Title: "Persistent Storage of Private Data via PubSub", Version: "1.1.1"},
	} {
		s.State, s.Note = spec.Complete, "Server."
		all = append(all, s)
	}
	return append(all, plain()...)
}

// iq handles a request to an account, or to an address without one (q.Account is nil), which is answered as an account
// without nodes would.
func (p *PEP) iq(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	service := q.Stanza.To.Bare()
	if q.Account != nil {
		service = q.Account.JID()
	}
	r := &pubsub.Request{Stanza: q.Stanza, Payload: q.Payload, Service: service, Route: q.Route, RouteToEach: q.RouteToEach}
	if p.gather(q, r) {
		return nil, router.ErrAnswered
	}
	xml, err := p.engine.Handle(ctx, r)
	if err != nil {
		return nil, err
	}
	q.Route(result(q.Stanza, xml))
	return nil, router.ErrAnswered
}

func result(request *stanza.Stanza, xml string) *stanza.Stanza {
	st := request.Result()
	st.Payload = xml
	return st
}

// received handles the decision of an account about a subscription to one of its nodes (XEP-0060 §8.6).
func (p *PEP) received(ctx context.Context, s *router.Pass) error {
	if s.Session == nil || s.Session.Account() != s.Account || !s.Stanza.To.IsBare() || !pubsub.Decision(s.Stanza) {
		return nil
	}
	if err := p.engine.Decide(ctx, &pubsub.Request{Stanza: s.Stanza, Service: s.Account.JID(), Route: s.Route}); err != nil {
		return err
	}
	return router.ErrStop
}

// skips implements router.Stage.Skip.
func skips(st *stanza.Stanza) bool { return !pubsub.Decision(st) }

// Forget removes an account that was deleted from the nodes of others.
func (p *PEP) Forget(account jid.JID) {
	p.host.Each(func(a *router.Account) bool {
		p.nodes.Change(a, func(n *pubsub.Nodes) *pubsub.Nodes { return n.Without(account) })
		return true
	})
}

// services are the accounts, as the engine sees them.
type services struct{ *PEP }

var _ pubsub.Host = services{}

// Nodes implements pubsub.Host. An address without an account has no nodes, and nothing is kept about it.
func (s services) Nodes(ctx context.Context, service jid.JID) (*pubsub.Nodes, error) {
	at, err := s.host.Acquire(ctx, service)
	if err != nil || at.Account == nil {
		return nil, err
	}
	return s.nodes.Get(ctx, at.Account)
}

// Change implements pubsub.Host.
func (s services) Change(service jid.JID, change func(*pubsub.Nodes) *pubsub.Nodes) {
	s.nodes.Change(s.host.Local(service), change)
}

// MayCreate implements pubsub.Host: only the account itself creates nodes.
func (s services) MayCreate(context.Context, jid.JID, jid.JID) bool { return false }

// available reports whether a subscriber is available: what is known is the presence of the sessions of the same host.
func (p *PEP) available(subscriber jid.JID) bool {
	if subscriber.Domain() != p.host.Domain().Domain() {
		return true
	}
	for _, session := range p.host.Local(subscriber.Bare()).Sessions() {
		if session.Presence() != nil && (subscriber.IsBare() || session.JID() == subscriber) {
			return true
		}
	}
	return false
}

// Relation implements pubsub.Host.
func (s services) Relation(ctx context.Context, service, entity jid.JID, groups []string) (r pubsub.Relation, err error) {
	at, err := s.host.Acquire(ctx, service)
	if err != nil || at.Account == nil {
		return r, err
	}
	if r.Blocked, err = s.Contacts.Blocks(ctx, at.Account, entity); err != nil || r.Blocked {
		return r, err
	}
	if r.Presence, _, err = s.Contacts.Subscription(ctx, at.Account, entity); err != nil || !r.Presence || len(groups) == 0 {
		return r, err
	}
	r.InGroup, err = s.Contacts.InGroup(ctx, at.Account, entity, groups)
	return r, err
}

// Implicit implements pubsub.Host: the account's own sessions and those of its contacts, if they want the notifications
// of the node (XEP-0060 §9.1, §9.2).
func (s services) Implicit(ctx context.Context, service jid.JID, n *pubsub.Node, send func(session stanza.Receiver)) error {
	account := s.host.Local(service)
	if account == nil {
		return nil
	}
	for _, own := range account.Sessions() {
		if wants(own, n.Name) {
			send(stanza.Receiver{JID: own.JID(), Found: own})
		}
	}
	from, _, err := s.Contacts.Contacts(ctx, account)
	if err != nil {
		return err
	}
	for _, contact := range from {
		checked := false
		if contact.Domain() != s.host.Domain().Domain() {
			s.implicitRemote(ctx, account, contact, n, send)
			continue
		}
		for _, session := range s.host.Local(contact).Sessions() {
			if !wants(session, n.Name) {
				continue
			}
			if !checked && !s.receives(ctx, account, n, contact) {
				break
			}
			checked = true
			send(stanza.Receiver{JID: session.JID(), Found: session})
		}
	}
	return nil
}

// implicitRemote is Implicit for one contact on another host.
func (p *PEP) implicitRemote(ctx context.Context, a *router.Account, contact jid.JID, n *pubsub.Node, send func(session stanza.Receiver)) {
	var wanting []jid.JID
	p.Remote(a, contact, func(session jid.JID, wants *disco.Capabilities) {
		if wants.Wants(n.Name) {
			wanting = append(wanting, session)
		}
	})
	if len(wanting) == 0 || !p.receives(ctx, a, n, contact) {
		return
	}
	for _, session := range wanting {
		send(stanza.Receiver{JID: session})
	}
}

// receives reports whether a contact gets the notifications of a node.
func (p *PEP) receives(ctx context.Context, a *router.Account, n *pubsub.Node, contact jid.JID) bool {
	return n.Receives(contact, func(groups []string) bool {
		in, err := p.Contacts.InGroup(ctx, a, contact, groups)
		if err != nil {
			p.Log.Error("groups of a contact not read", "account", a.JID(), "err", err)
		}
		return in
	})
}

// wants reports whether a session is available and wants the notifications of a node.
func wants(s *router.Bound, node string) bool {
	p := s.Presence()
	return p != nil && p.Capabilities.Load().Wants(node)
}

var _ disco.Source = (*pubsub.Engine)(nil)
