package bridge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Endpoint is a domain of an XMPP server: one of this process, or a component's link.
type Endpoint interface {
	Domain() jid.JID
	Send(*stanza.Stanza)
	// SendAll sends several in a row and calls done, from any goroutine, once they are safe
	// from a crash of this process: kept by the server's stages, or taken by the sockets.
	SendAll(list []*stanza.Stanza, done func(error))
	// Collect is Send for a worker that sends much in a row: it leaves when flush is called, or
	// before. Both belong to one goroutine.
	Collect() (send func(*stanza.Stanza), flush func())
	// Handle sets who gets the stanzas for the domain: called in order for each sender.
	Handle(func(*stanza.Stanza))
}

// Options is what a gateway is made of. Network, Endpoint, Store, Keys and Journal are needed.
type Options struct {
	Network  transports.Network
	Endpoint Endpoint
	Store    *tables.Store
	Keys     *Keys
	Journal  string // a file's path, beside the store
	// Kept tells whether the server keeps a message for its receiver already, and makes sure
	// that where it does not nothing is left of it; it is asked at the start about what a crash
	// may have let through. Nil is never: what the crash leaves in doubt comes again.
	Kept     func(ctx context.Context, st *stanza.Stanza) (bool, error)
	Settings Settings
	Version  string // what the gateway says that it is; empty is "devel"
	Log      *slog.Logger
	Now      func() time.Time // wall clock; nil is time.Now
	// Trace is told each step of a message's way, by the names in package transports.
	Trace func(step string, attrs ...slog.Attr)
}

// Gateway is one network on one domain.
type Gateway struct {
	network  transports.Network
	info     transports.Info
	endpoint Endpoint
	domain   jid.JID
	store    *tables.Store
	keys     *Keys
	kept     func(context.Context, *stanza.Stanza) (bool, error)
	set      Settings
	version  string
	log      *slog.Logger
	now      func() time.Time
	trace    func(string, ...slog.Attr)

	handed  handed
	inbox   *combiner
	seq     atomic.Int64 // last number given to a row
	started chan struct{}
	away    atomic.Bool // the server cannot be reached

	mu       sync.Mutex
	ctx      context.Context // of Run; nil before
	group    sync.WaitGroup
	stopping bool
	accounts map[transports.LoginID]*account
	owners   map[jid.JID][]*account // by bare JID, the oldest first
	users    map[transports.UserID]*account
	workers  map[int64]*worker // by room
	rates    map[jid.JID]*rate.Limiter
	removed  map[jid.JID]removal // users whose own accounts were deleted of late

	removals  atomic.Int64 // how often RemoveUser was called
	places    places
	durable   durable
	people    people
	presences presences
	granted   grants
	queries   queries
	dialogues dialogues
	commands  *command.Engine
	nicks     nicks
	since     time.Time
	Counters  Counters
}

// Counters are for the operator: how much has passed.
type Counters struct {
	Events, Duplicates, Echoes, Delivered, Accepted, Calls, Retries, Refused, Limited, Failed, Panics atomic.Int64
}

// New checks what it is given and makes a gateway; Run starts it.
func New(o Options) (*Gateway, error) {
	if o.Network == nil || o.Endpoint == nil || o.Store == nil || o.Keys == nil || o.Journal == "" {
		return nil, errors.New("gateway: Network, Endpoint, Store, Keys and Journal are needed")
	}
	if err := transports.CheckNetwork(o.Network); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Kept == nil {
		o.Kept = func(context.Context, *stanza.Stanza) (bool, error) { return false, nil }
	}
	if o.Trace == nil {
		o.Trace = func(string, ...slog.Attr) {}
	}
	info := o.Network.Info()
	g := &Gateway{
		network: o.Network, info: info, endpoint: o.Endpoint, domain: o.Endpoint.Domain(), store: o.Store,
		keys: o.Keys, kept: o.Kept, set: o.Settings.orDefaults(), version: cmp.Or(o.Version, "devel"), now: o.Now, trace: o.Trace,
		log:      o.Log.With("gateway", o.Endpoint.Domain().String()),
		started:  make(chan struct{}),
		accounts: map[transports.LoginID]*account{}, owners: map[jid.JID][]*account{}, users: map[transports.UserID]*account{},
		workers: map[int64]*worker{}, rates: map[jid.JID]*rate.Limiter{}, removed: map[jid.JID]removal{},
	}
	g.handed.g, g.inbox, g.since = g, &combiner{g: g}, g.now()
	g.commands = g.offered()
	var err error
	g.handed.journal, g.handed.had, err = openJournal(o.Journal)
	return g, err
}

// Domain is the gateway's address.
func (g *Gateway) Domain() jid.JID { return g.domain }

// Network tells what network this is.
func (g *Gateway) Network() transports.Info { return g.info }

// Started is closed once Run takes stanzas: the endpoint is to be run from then on.
func (g *Gateway) Started() <-chan struct{} { return g.started }

// Run serves until ctx ends, and returns when all of the gateway's goroutines have ended.
func (g *Gateway) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g.mu.Lock()
	if g.ctx != nil {
		g.mu.Unlock()
		return errors.New("gateway runs already")
	}
	g.ctx = ctx
	g.mu.Unlock()
	waiting, err := g.load(ctx)
	if err != nil {
		g.stop()
		return fmt.Errorf("start gateway %s: %w", g.domain, err)
	}
	g.endpoint.Handle(g.receive)
	close(g.started)
	g.log.Info("gateway started", "network", g.info.Kind, "accounts", len(g.accounts))
	for _, a := range g.allAccounts() {
		a.start()
	}
	for _, w := range waiting {
		g.wakeWaiting(w)
	}
	g.keepHouse(ctx)
	g.stop()
	return nil
}

// load reads what the last run left behind and finishes what it had begun.
func (g *Gateway) load(ctx context.Context) ([]tables.Backlog, error) {
	last, err := g.store.LastSequence(ctx)
	if err != nil {
		return nil, err
	}
	g.seq.Store(last)
	rows, err := g.store.Logins(ctx)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if a := g.addAccount(row); row.Status != tables.StatusUnlinking {
			if err := a.beginCatchUp(ctx); err != nil { // before anything that was left goes on
				return nil, err
			}
		}
	}
	if err := g.deliverLeft(ctx); err != nil {
		return nil, err
	}
	return g.store.Backlog(ctx)
}

// stop waits until every goroutine has ended.
func (g *Gateway) stop() {
	g.mu.Lock()
	g.stopping = true
	g.mu.Unlock()
	g.endpoint.Handle(func(*stanza.Stanza) {})
	for _, a := range g.allAccounts() {
		a.stop()
	}
	g.dialogues.stop()
	g.group.Wait()
	for _, w := range g.workers {
		w.shut()
	}
	if err := g.handed.close(); err != nil {
		g.log.Error("closing the journal", "error", err)
	}
	g.log.Info("gateway stopped")
}

// spawn starts a goroutine that Run waits for; false where the gateway is stopping.
func (g *Gateway) spawn(f func(ctx context.Context)) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.spawnLocked(f)
}

func (g *Gateway) spawnLocked(f func(ctx context.Context)) bool {
	if g.stopping || g.ctx == nil {
		return false
	}
	g.group.Add(1)
	ctx := g.ctx
	go func() {
		defer g.group.Done()
		defer g.recovered("goroutine")
		f(ctx)
	}()
	return true
}

// recovered keeps a panic from ending the process.
func (g *Gateway) recovered(where string) {
	if v := recover(); v != nil {
		g.Counters.Panics.Add(1)
		g.log.Error("panic", "where", where, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	}
}

// next is a fresh number for a row; numbers rise in the order in which they are given.
func (g *Gateway) next() int64 { return g.seq.Add(1) }

// ServerAway tells that the server cannot be reached: what comes from the network waits in
// the durable inbox.
func (g *Gateway) ServerAway() { g.away.Store(true) }

// ServerBack lets everything go on.
func (g *Gateway) ServerBack() {
	if !g.away.Swap(false) {
		return
	}
	g.mu.Lock()
	ids := slices.Collect(maps.Keys(g.workers))
	g.mu.Unlock()
	for _, id := range ids {
		g.poke(id, func(w *worker) bool { w.inbound = true; return true })
	}
}

// send hands a stanza to the server.
func (g *Gateway) send(st *stanza.Stanza) {
	if st != nil {
		g.endpoint.Send(st)
	}
}
