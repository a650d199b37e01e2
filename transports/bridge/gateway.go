package bridge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/notification"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/bookmarks"
	"github.com/dragoman-im/dragoman/transports/bridge/commands"
	"github.com/dragoman-im/dragoman/transports/bridge/conversation"
	"github.com/dragoman-im/dragoman/transports/bridge/delivery"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/inbox"
	"github.com/dragoman-im/dragoman/transports/bridge/links"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/media"
	"github.com/dragoman-im/dragoman/transports/bridge/outbox"
	"github.com/dragoman-im/dragoman/transports/bridge/puppets"
	"github.com/dragoman-im/dragoman/transports/bridge/rooms"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Endpoint is a domain of an XMPP server: one of this process, or a component's link.
type Endpoint interface {
	Domain() jid.JID
	Send(*stanza.Stanza)
	// SendAll sends several stanzas in order and calls done, from any goroutine, once they survive a crash of
	// this process: the clients' sockets have taken them or the server has stored them, and those that are to be
	// archived are. It calls taken before done, once, where a socket has them and the server is still writing.
	SendAll(list []*stanza.Stanza, taken func(), done func(error))
	// Collect returns a Send for one goroutine that sends many stanzas in a row. They are written when flush is
	// called, or before.
	Collect() (send func(*stanza.Stanza), flush func())
	// Handle sets the function that is called with each stanza for the domain, in order for each sender.
	Handle(func(*stanza.Stanza))
}

// Settings are the choices and limits of a gateway.
type Settings = gateway.Settings

// LinkedRoom is a room that is to be linked to a channel.
type LinkedRoom = gateway.LinkedRoom

// Kept is what the server has stored of messages that were sent before a crash; see delivery.Kept.
type Kept = delivery.Kept

// Keys encrypts the secrets of logins.
type Keys = logins.Keys

// LoadKeys reads keys from text or, where it is empty, from a file; see logins.LoadKeys.
func LoadKeys(text, file string) (*Keys, error) { return logins.LoadKeys(text, file) }

// Options configure a Gateway. Network, Endpoint, Store, Keys and DeliveryLog are required.
type Options struct {
	Network     transports.Network
	Endpoint    Endpoint
	Store       *tables.Store
	Keys        *Keys
	DeliveryLog string // a file's path, beside the store; with PostgreSQL it is read once and removed
	Kept        Kept
	// Archive archives a message that is not for the network for its sender, where the server leaves that to the gateway:
	// the stanza has an Entry then. Nil where it never does.
	Archive func(*stanza.Stanza)
	// Notify is called with each message of a room, to notify those who have no session in it. Nil where the server does that, or nobody.
	Notify func(context.Context, notification.Message)
	// UsersOnline makes Run ask for the presence of all users: they may be online already.
	UsersOnline bool
	Settings    Settings
	Version     string // of the software; empty is "devel"
	Log         *slog.Logger
	Now         func() time.Time // wall clock; nil is time.Now
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
	media    *media.Service // nil where no files are served
	probe    bool           // Options.UsersOnline
}

// xmpp has the parts that serve XMPP users.
type xmpp struct {
	people   *puppets.Directory
	presence *puppets.Presence
	roster   *puppets.Roster
	rooms    *rooms.Rooms
	links    *links.Links
	commands *commands.Commands

	bookmarks *bookmarks.Bookmarks
}

// flow has the parts that messages pass through, in both directions.
type flow struct {
	conversations *conversation.Set
	inbox         *inbox.Inbox
	backfill      *inbox.Backfill
	processing    *inbox.Processing
	outbox        *outbox.Outbox
	log           *delivery.Log
}

// New checks the options and returns a gateway that is not started yet: the caller must call Run.
func New(o Options) (*Gateway, error) {
	if o.Network == nil || o.Endpoint == nil || o.Store == nil || o.Keys == nil || o.DeliveryLog == "" {
		return nil, errors.New("gateway: Network, Endpoint, Store, Keys and DeliveryLog are needed")
	}
	if err := transports.CheckNetwork(o.Network); err != nil {
		return nil, err
	}
	env := newEnv(o)
	g := &Gateway{
		Counters: &env.Counters, env: env, endpoint: o.Endpoint, store: o.Store, started: make(chan struct{}),
		limiter: gateway.NewLimiter(env.Settings.Stanzas, env.Now), logins: logins.New(env, o.Network, o.Store, o.Keys), probe: o.UsersOnline,
	}
	g.assemble(o, delivery.New(o.DeliveryLog, env, o.Store, o.Endpoint, o.Kept))
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
	if o.Archive == nil {
		o.Archive = func(*stanza.Stanza) {}
	}
	env := &gateway.Env{
		Domain: o.Endpoint.Domain(), Info: o.Network.Info(), Settings: o.Settings.OrDefaults(), Version: cmp.Or(o.Version, "devel"),
		Log: o.Log.With("gateway", o.Endpoint.Domain().String()), Now: o.Now, Trace: o.Trace, Archive: o.Archive,
		Send: func(st *stanza.Stanza) {
			if st != nil { // stanza.ErrorReply returns nil for a stanza that must not be answered
				o.Endpoint.Send(st)
			}
		},
	}
	env.Group = gateway.NewGroup(env.Recover)
	return env
}

// assemble makes the parts in the order of their imports, the lowest first, and then connects the lower ones to the
// higher ones that they call.
func (g *Gateway) assemble(o Options, log *delivery.Log) {
	env, store, registry := g.env, g.store, g.logins.Registry
	x, f := &g.xmpp, &g.flow
	x.people = puppets.NewDirectory(env, store, store)
	x.presence = puppets.NewPresence(env, store, x.people, registry)
	x.roster = puppets.NewRoster(env, store, x.presence)
	f.conversations = conversation.NewSet(env, store, registry, g.newParts)
	x.rooms = rooms.New(rooms.Options{
		Env: env, Store: store, Logins: registry, People: x.people, Presence: x.presence, Roster: x.roster, Endpoint: g.endpoint, Notify: o.Notify,
	})
	x.bookmarks = bookmarks.New(env, store, x.roster, registry, x.rooms)
	f.outbox = outbox.New(env, store, registry, x.rooms)
	x.links = links.New(links.Options{Env: env, Store: store, Logins: registry, People: x.people, Conversations: g, Signer: g.logins.Signer()})
	f.inbox = inbox.New(env, store, x.rooms.Index, f.conversations, f.outbox)
	f.backfill = inbox.NewBackfill(f.inbox, x.rooms, registry)
	f.log = log
	f.processing = inbox.NewProcessing(f.backfill, x.people, x.roster, x.bookmarks, log)
	x.commands = commands.New(commands.Options{
		Env: env, Logins: g.logins, Rooms: x.rooms, Searches: x.rooms.Searches(), People: puppets.NewSearch(env, store, x.people, registry),
		Spaces: x.rooms.Spaces(), Events: f.inbox, Links: x.links,
	})
	g.logins.Connect(receiver{g}, lists{x.roster, x.bookmarks}, removal{g})
	x.rooms.Connect(f.backfill, g, g.described)
	f.outbox.Connect(f.backfill, x.links)
	f.conversations.OnArchived(x.links.Archived)
	f.conversations.OnDescribed(x.links.Described)
}

// Domain is the gateway's address.
func (g *Gateway) Domain() jid.JID { return g.env.Domain }

// Network describes the network.
func (g *Gateway) Network() transports.Info { return g.env.Info }

// Started is closed when Run has begun to accept stanzas: the caller may then connect the endpoint.
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
	clock := g.store.Clock(g.env.Domain, g.env.Now, g.env.Log)
	backlog, err := g.load(ctx)
	if err != nil {
		g.stop()
		return fmt.Errorf("start gateway %s: %w", g.env.Domain, err)
	}
	if err := g.readClock(ctx, clock); err != nil { // before anything expires
		g.env.Log.Error("read the time for deletions", "error", err)
	}
	g.endpoint.Handle(g.receive)
	close(g.started)
	g.env.Log.Info("gateway started", "network", g.env.Info.Kind, "logins", len(g.logins.All()))
	defer g.serveMedia()()
	g.logins.StartAll()
	if g.probe {
		g.xmpp.presence.ProbeOwners()
	}
	for _, b := range backlog {
		g.flow.conversations.Resume(b)
	}
	if err := g.xmpp.links.Start(ctx); err != nil {
		g.env.Log.Error("read linked rooms", "error", err)
	}
	g.janitor(ctx, clock)
	g.stop()
	return nil
}

// load reads the state that the last run left in the store: sequence numbers, logins, and messages whose delivery was
// not noted, which it delivers again. It returns the backlog of each conversation.
func (g *Gateway) load(ctx context.Context) ([]tables.Backlog, error) {
	first, last, err := g.store.LastNumber(ctx)
	if err != nil {
		return nil, err
	}
	g.env.Continue(first, last)
	if err := g.logins.Load(ctx); err != nil {
		return nil, err
	}
	key, err := g.logins.NonceKey(ctx, g.store)
	if err != nil {
		return nil, err
	}
	g.flow.outbox.SetNonceKey(key)
	for _, l := range g.logins.All() {
		if _, status, _ := l.State(); status != tables.StatusUnlinking {
			if err := g.flow.backfill.Begin(ctx, l); err != nil { // before any event of the last run is processed
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
	g.xmpp.links.Stop()
	g.flow.conversations.Stop()
	g.xmpp.rooms.Stop()
	if err := g.flow.log.Close(); err != nil {
		g.env.Log.Error("close the delivery log", "error", err)
	}
	g.env.Log.Info("gateway stopped")
}

// ServerAway must be called when the server cannot be reached: events of the network then wait in the inbox.
func (g *Gateway) ServerAway() { g.flow.conversations.ServerAway() }

// ServerBack must be called when the server can be reached again: events are processed again, and users who are
// online are found.
func (g *Gateway) ServerBack() {
	g.flow.conversations.ServerBack()
	g.xmpp.links.ServerBack()
	g.xmpp.presence.ProbeOwners()
}

// Withdraw makes the gateway and its people unavailable to all users, before it is stopped alone while the server
// goes on.
func (g *Gateway) Withdraw(ctx context.Context) { g.xmpp.presence.Withdraw(ctx) }

// RemoveUser removes all logins of a user whose own account is being deleted.
func (g *Gateway) RemoveUser(ctx context.Context, who jid.JID) error {
	g.xmpp.commands.Forget(who.Bare())
	return g.logins.RemoveOwner(ctx, who)
}

// Readable returns the archives of the gateway's rooms that an account may read now; see archive.Rooms.
func (g *Gateway) Readable(ctx context.Context, account, room jid.JID, limit int) ([]archive.Readable, error) {
	return g.xmpp.rooms.Readable(ctx, account, room, limit)
}
