package bridge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/commands"
	"github.com/dragoman-im/dragoman/transports/bridge/conversation"
	"github.com/dragoman-im/dragoman/transports/bridge/delivery"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/inbox"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/outbox"
	"github.com/dragoman-im/dragoman/transports/bridge/puppets"
	"github.com/dragoman-im/dragoman/transports/bridge/rooms"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Endpoint is a domain of an XMPP server: one of this process, or a component's link.
type Endpoint interface {
	Domain() jid.JID
	Send(*stanza.Stanza)
	// SendAll sends several in a row and calls done, from any goroutine, once they are safe
	// from a crash of this process: kept by the server's stages, or taken by the sockets.
	SendAll(list []*stanza.Stanza, done func(error))
	// Collect is Send for one goroutine that sends much in a row: it leaves when flush is called, or before.
	Collect() (send func(*stanza.Stanza), flush func())
	// Handle sets the function that stanzas for the domain are given to: in order for each sender.
	Handle(func(*stanza.Stanza))
}

// Settings are the choices and limits of a gateway.
type Settings = gateway.Settings

// Keys encrypts the secrets of logins.
type Keys = logins.Keys

// LoadKeys reads keys from text or, where it is empty, from a file; see logins.LoadKeys.
func LoadKeys(text, file string) (*Keys, error) { return logins.LoadKeys(text, file) }

// Options is what a gateway is made of. Network, Endpoint, Store, Keys and DeliveryLog are needed.
type Options struct {
	Network     transports.Network
	Endpoint    Endpoint
	Store       *tables.Store
	Keys        *Keys
	DeliveryLog string // a file's path, beside the store
	// Kept reports whether the server keeps a message for its receiver already, and makes sure
	// that where it does not nothing is left of it; it is asked at the start about what a crash
	// may have let through. Nil is never: what the crash leaves in doubt comes again.
	Kept     func(ctx context.Context, st *stanza.Stanza) (bool, error)
	Settings Settings
	Version  string // of the software; empty is "devel"
	Log      *slog.Logger
	Now      func() time.Time // wall clock; nil is time.Now
	// Trace is called at each step of a message, by the names in package transports.
	Trace func(step string, attrs ...slog.Attr)
}

// Gateway is one network on one domain.
type Gateway struct {
	Counters *gateway.Counters

	env      *gateway.Env
	endpoint Endpoint
	store    *tables.Store
	limiter  *gateway.Limiter
	started  chan struct{}
	logins   *logins.Logins
	xmpp     xmpp
	flow     flow
}

// xmpp is what XMPP users see of the gateway.
type xmpp struct {
	people   *puppets.Directory
	presence *puppets.Presence
	roster   *puppets.Roster
	rooms    *rooms.Rooms
	commands *commands.Commands
}

// flow is what messages go through.
type flow struct {
	conversations *conversation.Set
	inbox         *inbox.Inbox
	backfill      *inbox.Backfill
	processing    *inbox.Processing
	outbox        *outbox.Outbox
	log           *delivery.Log
}

// New checks what it is given and makes a gateway; Run starts it.
func New(o Options) (*Gateway, error) {
	if o.Network == nil || o.Endpoint == nil || o.Store == nil || o.Keys == nil || o.DeliveryLog == "" {
		return nil, errors.New("gateway: Network, Endpoint, Store, Keys and DeliveryLog are needed")
	}
	if err := transports.CheckNetwork(o.Network); err != nil {
		return nil, err
	}
	if o.Kept == nil {
		o.Kept = func(context.Context, *stanza.Stanza) (bool, error) { return false, nil }
	}
	env := newEnv(o)
	g := &Gateway{
		Counters: &env.Counters, env: env, endpoint: o.Endpoint, store: o.Store, started: make(chan struct{}),
		limiter: gateway.NewLimiter(env.Settings.Stanzas, env.Now), logins: logins.New(env, o.Network, o.Store, o.Keys),
	}
	log, err := delivery.Open(o.DeliveryLog, env, o.Store, o.Endpoint, o.Kept)
	if err != nil {
		return nil, err
	}
	g.assemble(log)
	return g, nil
}

func newEnv(o Options) *gateway.Env {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Trace == nil {
		o.Trace = func(string, ...slog.Attr) {}
	}
	env := &gateway.Env{
		Domain: o.Endpoint.Domain(), Info: o.Network.Info(), Settings: o.Settings.OrDefaults(), Version: cmp.Or(o.Version, "devel"),
		Log: o.Log.With("gateway", o.Endpoint.Domain().String()), Now: o.Now, Trace: o.Trace,
		Send: func(st *stanza.Stanza) {
			if st != nil { // an error reply to what gets none
				o.Endpoint.Send(st)
			}
		},
	}
	env.Group = gateway.NewGroup(env.Recover)
	return env
}

// assemble makes the parts, from the bottom to the top.
func (g *Gateway) assemble(log *delivery.Log) {
	env, store, registry := g.env, g.store, g.logins.Registry
	x, f := &g.xmpp, &g.flow
	x.people = puppets.NewDirectory(env, store)
	x.presence = puppets.NewPresence(env, store, x.people, registry)
	x.roster = puppets.NewRoster(env, store, x.presence)
	f.conversations = conversation.NewSet(env, store, registry, g.newParts)
	x.rooms = rooms.New(rooms.Options{
		Env: env, Store: store, Logins: registry, People: x.people, Presence: x.presence, Roster: x.roster, Endpoint: g.endpoint,
	})
	f.outbox = outbox.New(env, store, registry, x.rooms)
	f.inbox = inbox.New(env, store, x.rooms.Index, f.conversations, f.outbox)
	f.backfill = inbox.NewBackfill(f.inbox, x.rooms, registry)
	f.log = log
	f.processing = inbox.NewProcessing(f.backfill, x.people, x.roster, log)
	x.commands = commands.New(env, g.logins, x.rooms, f.inbox)
	g.logins.Connect(receiver{g}, x.roster, removal{g})
	x.rooms.Connect(f.backfill, g)
	f.outbox.Connect(f.backfill)
}

// Domain is the gateway's address.
func (g *Gateway) Domain() jid.JID { return g.env.Domain }

// Network describes the network.
func (g *Gateway) Network() transports.Info { return g.env.Info }

// Started is closed once Run takes stanzas: the endpoint is to be run from then on.
func (g *Gateway) Started() <-chan struct{} { return g.started }

// Run serves until ctx ends, and returns when all of the gateway's goroutines have ended.
func (g *Gateway) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !g.env.Group.Start(ctx) {
		return errors.New("gateway runs already")
	}
	g.flow.conversations.Start(ctx)
	g.xmpp.rooms.Start(ctx)
	backlog, err := g.load(ctx)
	if err != nil {
		g.stop()
		return fmt.Errorf("start gateway %s: %w", g.env.Domain, err)
	}
	g.endpoint.Handle(g.receive)
	close(g.started)
	g.env.Log.Info("gateway started", "network", g.env.Info.Kind, "logins", len(g.logins.All()))
	g.logins.StartAll()
	for _, b := range backlog {
		g.flow.conversations.Resume(b)
	}
	g.janitor(ctx)
	g.stop()
	return nil
}

// load reads what the last run left behind and completes what it had begun.
func (g *Gateway) load(ctx context.Context) ([]tables.Backlog, error) {
	first, last, err := g.store.LastNumber(ctx)
	if err != nil {
		return nil, err
	}
	g.env.Continue(first, last)
	if err := g.logins.Load(ctx); err != nil {
		return nil, err
	}
	for _, l := range g.logins.All() {
		if _, status, _ := l.State(); status != tables.StatusUnlinking {
			if err := g.flow.backfill.Begin(ctx, l); err != nil { // before any event of the last run goes on
				return nil, err
			}
		}
	}
	if err := g.flow.log.Recover(ctx); err != nil {
		return nil, err
	}
	return g.store.Backlog(ctx)
}

// stop waits until every goroutine has ended.
func (g *Gateway) stop() {
	g.env.Group.Stop()
	g.endpoint.Handle(func(*stanza.Stanza) {})
	g.logins.StopAll()
	g.xmpp.commands.Stop()
	g.env.Group.Wait()
	g.flow.conversations.Stop()
	g.xmpp.rooms.Stop()
	if err := g.flow.log.Close(); err != nil {
		g.env.Log.Error("closing the delivery log", "error", err)
	}
	g.env.Log.Info("gateway stopped")
}

// ServerAway says that the server cannot be reached: what comes from the network waits in
// the durable inbox.
func (g *Gateway) ServerAway() { g.flow.conversations.ServerAway() }

// ServerBack lets everything go on.
func (g *Gateway) ServerBack() { g.flow.conversations.ServerBack() }

// RemoveUser removes all logins of a user whose own account is being deleted.
func (g *Gateway) RemoveUser(ctx context.Context, who jid.JID) error {
	g.xmpp.commands.Forget(who.Bare())
	return g.logins.RemoveOwner(ctx, who)
}
