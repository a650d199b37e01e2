package gateways

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/component"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/server"
	"github.com/dragoman-im/dragoman/transports/bridge"
)

// outside runs gateways under a foreign server, each with a link.
type outside struct {
	maker *maker
	fail  context.CancelCauseFunc // ends the program
	all   sync.WaitGroup          // of the goroutines of all gateways

	mu      sync.Mutex
	links   map[jid.JID]*foreignServer
	running context.Context // nil before run
}

// foreignServer is a gateway's link to another server, which reports to the gateway whether it is up.
type foreignServer struct {
	*component.Link
	gateway atomic.Pointer[bridge.Gateway]
	end     context.CancelFunc
	ended   sync.WaitGroup
}

// start implements host.
func (o *outside) start(ctx context.Context, c config.Config, e enabled) error {
	if o.link(e.domain) != nil {
		return fmt.Errorf("the gateway that %s had before has not ended", e.domain)
	}
	link, err := o.dial(c, e)
	if err != nil {
		return err
	}
	g, err := o.maker.gateway(ctx, c, e, placement{endpoint: link, users: foreignUsers(c, e.domain), mediaURL: c.Web.URL})
	if err != nil {
		return err
	}
	g.ServerAway()
	link.gateway.Store(g)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.links[e.domain] = link
	if o.running != nil {
		o.runLink(link)
	}
	return nil
}

// link returns the link of a domain, nil if there is none.
func (o *outside) link(domain jid.JID) *foreignServer {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.links[domain]
}

// run runs the gateways that were started before it, until ctx ends; later ones are run at once.
func (o *outside) run(ctx context.Context) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.running = ctx
	for _, l := range o.links {
		o.runLink(l)
	}
}

// runLink runs a gateway, and its link as soon as the gateway can take stanzas. The caller holds the lock.
func (o *outside) runLink(l *foreignServer) {
	ctx, end := context.WithCancel(o.running)
	l.end = end
	g := l.gateway.Load()
	run := func(f func(context.Context) error) {
		l.ended.Add(1)
		o.all.Go(func() {
			defer l.ended.Done()
			if err := f(ctx); err != nil && !errors.Is(err, context.Canceled) {
				o.fail(err)
			}
		})
	}
	run(g.Run)
	run(func(ctx context.Context) error {
		select {
		case <-g.Started():
			return l.Link.Run(ctx)
		case <-ctx.Done():
			return nil
		}
	})
}

// stop implements host.
func (o *outside) stop(ctx context.Context, domain jid.JID) error {
	l := o.link(domain)
	if l == nil {
		return nil
	}
	if g := l.gateway.Load(); g != nil {
		g.Withdraw(ctx)
	}
	if l.end != nil {
		l.end()
	}
	if err := server.Wait(ctx, &l.ended); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.links, domain)
	return nil
}

// dial makes a gateway's link to the foreign server. It reconnects by itself. If the server answers at the first
// time that the domain or the secret is wrong, the program ends, or after a reload the error is logged.
func (o *outside) dial(c config.Config, e enabled) (*foreignServer, error) {
	kind, domain := e.kind, e.domain
	if e.secret == "" {
		return nil, fmt.Errorf("%s.secret: the secret that the foreign server has for %s is missing", kind, domain)
	}
	fail := o.fail
	if o.runs() {
		fail = func(err error) { o.maker.options.Log.Error("gateway refused by the foreign server", "err", err) }
	}
	foreign := &foreignServer{}
	attached := false // only the link's own goroutine calls State
	link, err := component.Dial(component.Options{
		Addr: c.Foreign.Address, Domain: domain, Secret: e.secret,
		RetryMin: time.Duration(c.Gateway.RetryMin), RetryMax: time.Duration(c.Gateway.RetryMax), MaxBytes: int(c.Limits.ComponentBytes),
		Log: o.maker.options.Log,
		State: func(err error) {
			foreign.reached(err == nil)
			if err == nil {
				attached = true
			} else if refused := refusal(c, kind, domain, err); refused != nil && !attached {
				fail(refused)
			}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("component %s: %w", domain, err)
	}
	foreign.Link = link
	return foreign, nil
}

// runs reports whether run was called.
func (o *outside) runs() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.running != nil
}

func (f *foreignServer) reached(up bool) {
	switch g := f.gateway.Load(); {
	case g == nil:
	case up:
		g.ServerBack()
	default:
		g.ServerAway()
	}
}

// domains returns the domains of the gateways.
func (o *outside) domains() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []string
	for domain := range o.links {
		all = append(all, domain.String())
	}
	slices.Sort(all)
	return all
}

// counts adds up how often limits of the gateways were reached.
func (o *outside) counts() []server.Count {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []server.Count
	for _, l := range o.links {
		for _, c := range (service{l.gateway.Load(), o.maker.media}).Counts() {
			if i := slices.IndexFunc(all, func(o server.Count) bool { return o.Limit == c.Limit }); i >= 0 {
				all[i].Times += c.Times
			} else {
				all = append(all, c)
			}
		}
	}
	return all
}

// foreignUsers are who may use a gateway under a foreign server: whom the configuration names, else the
// users of the domain that the gateway's is below.
func foreignUsers(c config.Config, domain jid.JID) []string {
	if len(c.Foreign.Users) > 0 {
		return append(append([]string(nil), c.Foreign.Users...), c.Gateway.Users...)
	}
	_, parent, ok := strings.Cut(domain.Domain(), ".")
	if !ok {
		return c.Gateway.Users
	}
	return append([]string{parent}, c.Gateway.Users...)
}
