package pubsubdomain

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Options are the parameters of New.
type Options struct {
	Limits    func() pubsub.Limits
	MayCreate func(entity jid.JID) bool // whether an address, without its resource, may create nodes
	Log       *slog.Logger
}

// Service is the publish-subscribe service of a host.
type Service struct {
	Options
	store  pubsub.Store
	engine *pubsub.Engine
	nodes  atomic.Pointer[pubsub.Nodes] // nil until they are loaded
}

// New returns the service. Call Stop in the end.
func New(s pubsub.Store, o Options) *Service {
	v := &Service{Options: o, store: s}
	v.engine = pubsub.New(pubsub.Options{Defaults: pubsub.ServiceDefaults, Limits: o.Limits, Host: domain{v}, Store: s, Log: o.Log})
	return v
}

// Engine returns the engine of the service.
func (v *Service) Engine() *pubsub.Engine { return v.engine }

// Stop waits until ctx ends for the requests that are being handled.
func (v *Service) Stop(ctx context.Context) { v.engine.Stop(ctx) }

// Feature declares the feature, for the host that serves the service's domain.
func (v *Service) Feature() router.Feature {
	info := v.engine.Discovery()
	info.Identities = nil // the domain has one
	return router.Feature{
		Name:        "pubsubdomain",
		HostIQ:      map[string]router.IQHandler{pubsub.NS: v.iq, pubsub.NSOwner: v.iq},
		HostMessage: v.message,
		HostDisco:   router.Disco{Info: info, Source: v.engine},
	}
}

// Counted declares the counters, for the host that the domain is below.
func (v *Service) Counted() router.Feature {
	c := &v.engine.Counters
	return router.Feature{
		Name: "pubsubdomain",
		Counters: []router.Counter{
			{Setting: "pubsub.service_nodes", Value: &c.Nodes}, {Setting: "pubsub.items", Value: &c.Items},
			{Setting: "pubsub.service_bytes", Value: &c.Bytes}, {Setting: "pubsub.payload", Value: &c.Payload},
			{Setting: "pubsub.subscriptions", Value: &c.Subscriptions},
		},
	}
}

func (v *Service) iq(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	xml, err := v.engine.Handle(ctx, &pubsub.Request{Stanza: q.Stanza, Payload: q.Payload, Service: q.Host.Domain(), Route: q.Route})
	if err != nil {
		return nil, err
	}
	result := q.Stanza.Result()
	result.Payload = xml
	q.Route(result)
	return nil, router.ErrAnswered
}

// message handles an owner's decision about a subscription (XEP-0060 §8.6).
func (v *Service) message(ctx context.Context, p *router.Pass) error {
	if !pubsub.Decision(p.Stanza) {
		return nil
	}
	if err := v.engine.Decide(ctx, &pubsub.Request{Stanza: p.Stanza, Service: p.Host.Domain(), Route: p.Route}); err != nil {
		return err
	}
	return router.ErrStop
}

// Forget removes an account that is being deleted from the nodes of the service, which is at that domain.
func (v *Service) Forget(ctx context.Context, service, account jid.JID) error {
	return v.engine.Forget(ctx, service, account)
}

// domain is the service as the engine sees it.
type domain struct{ *Service }

var _ pubsub.Host = domain{}

// Nodes implements pubsub.Host.
func (d domain) Nodes(ctx context.Context, service jid.JID) (*pubsub.Nodes, error) {
	if nodes := d.nodes.Load(); nodes != nil {
		return nodes, nil
	}
	nodes, err := d.store.Nodes(ctx, service)
	if err != nil {
		return nil, err
	}
	// What was changed meanwhile had loaded them before.
	d.nodes.CompareAndSwap(nil, nodes)
	return d.nodes.Load(), nil
}

// Change implements pubsub.Host. It is only called in the service's mailbox, after Nodes.
func (d domain) Change(_ jid.JID, change func(*pubsub.Nodes) *pubsub.Nodes) {
	d.nodes.Store(change(d.nodes.Load()))
}

// Relation implements pubsub.Host: a domain has no contacts.
func (d domain) Relation(context.Context, jid.JID, jid.JID, []string) (pubsub.Relation, error) {
	return pubsub.Relation{}, nil
}

// Implicit implements pubsub.Host.
func (d domain) Implicit(context.Context, jid.JID, *pubsub.Node, func(stanza.Receiver)) error {
	return nil
}

// MayCreate implements pubsub.Host.
func (d domain) MayCreate(_ context.Context, _, entity jid.JID) bool {
	return d.Options.MayCreate(entity)
}
