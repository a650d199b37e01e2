package serverinfo

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
)

// NS is the namespace of XEP-0485.
const NS = "urn:xmpp:serverinfo:0"

// Names of the node and of its only item (XEP-0485 §5).
const (
	node = "serverinfo"
	item = "current"
)

// Directions of a Connection (XEP-0485 §4).
const (
	Incoming = "incoming"
	Outgoing = "outgoing"
	Both     = "bidi"
)

// Connection is a connection of a domain of ours with one of another server.
type Connection struct{ Ours, Theirs, Direction string }

// Options are the parameters of New.
type Options struct {
	Every   time.Duration // how often the connections are looked at; 0: nothing is published
	Service jid.JID       // the publish-subscribe service; zero: there is none, and nothing is published
	Nodes   *pubsub.Engine
	Log     *slog.Logger
}

// Info publishes the connections of one host.
type Info struct {
	Options
	host        *router.Host
	connections func() []Connection
	last        string // what is published; used by Start, then by Run

	mu    sync.Mutex
	known map[string]consent // by the domain of the other server
}

// New returns the feature. Run publishes.
func New(h *router.Host, o Options) *Info {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Info{Options: o, host: h, connections: func() []Connection { return nil }, known: map[string]consent{}}
}

// Connect sets what returns the connections of the host and of the domains below it. Call it before Run.
func (i *Info) Connect(connections func() []Connection) { i.connections = connections }

func (i *Info) publishes() bool { return i.Every > 0 && !i.Service.IsZero() }

// Feature declares the feature.
func (i *Info) Feature() router.Feature {
	f := router.Feature{Name: "serverinfo", Specs: []spec.Spec{
		{Number: "0485", Title: "PubSub Server Information", Version: "1.0.0", State: spec.Complete, Note: "Off by default: federation.publish_connections."},
	}}
	if i.publishes() {
		f.HostDisco = router.Disco{Info: disco.Info{Features: []string{NS}}} // XEP-0485 §3: the operator agrees to be named
	}
	return f
}

// Fields returns the field for the form of the host's contact addresses, which has the same type (XEP-0485 §8.2).
func (i *Info) Fields() []form.Field {
	if !i.publishes() {
		return nil
	}
	return []form.Field{{Var: "serverinfo-pubsub-node", Type: form.TextSingle, Values: []string{"xmpp:" + i.Service.String() + "?;node=" + node}}} // XEP-0060 §12.22
}

// Start publishes the connections before any client can create the node or read it. If they are not to be published, it removes what was
// published before.
func (i *Info) Start(ctx context.Context) {
	if i.publishes() {
		i.last = i.publish(ctx, "", time.Now())
	} else {
		i.withdraw(ctx)
	}
}

// Run publishes the connections until ctx ends, when they have changed. Call Start before.
func (i *Info) Run(ctx context.Context) error {
	if !i.publishes() {
		return nil
	}
	tick := time.NewTicker(i.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			i.last = i.publish(ctx, i.last, time.Now())
		}
	}
}
