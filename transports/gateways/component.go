package gateways

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/component"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/server"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/stream"
	"github.com/dragoman-im/dragoman/transports/bridge"
)

// Component runs the gateways under a foreign server until ctx ends.
func Component(ctx context.Context, c config.Config, o Options) error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	log := o.Log
	database, err := server.OpenStore(ctx, c, store.Options{Log: log})
	if err != nil {
		return err
	}
	running, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	m, err := newMaker(ctx, c, o, database)
	if err == nil && len(m.entries) == 0 {
		err = noneEnabled(c)
	}
	var links []*foreignServer
	var domains []string
	if err == nil {
		links, domains, err = m.dialAll(ctx, fail)
	}
	if err != nil {
		return errors.Join(err, database.Close())
	}
	var wg sync.WaitGroup
	for _, l := range links {
		wg.Go(func() { l.run(running, fail) })
	}
	wg.Go(func() { _ = server.LogCounts(running, log, func() []server.Count { return countsOf(links) }) })
	log.Info("gateways run as components", "server", c.Foreign.Address, "domains", domains, "version", server.Version())
	<-running.Done()
	log.Info("stopping")
	deadline, done := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(c.Server.Shutdown))
	defer done()
	err = errors.Join(server.Wait(deadline, &wg), database.Close())
	if cause := context.Cause(running); !errors.Is(cause, context.Canceled) && !errors.Is(cause, ctx.Err()) {
		err = errors.Join(cause, err)
	}
	return err
}

// noneEnabled names the sections that could be.
func noneEnabled(c config.Config) error {
	names := make([]string, len(c.Sections))
	for i, s := range c.Sections {
		names[i] = "[" + s.Name + "]"
	}
	list := strings.Join(names, ", ")
	if i := strings.LastIndex(list, ", "); i >= 0 {
		list = list[:i] + " or" + list[i+1:]
	}
	return fmt.Errorf("no gateway is enabled: set enabled = true in %s", list)
}

// dialAll makes the gateways with their links to the foreign server; nothing runs yet.
func (m *maker) dialAll(ctx context.Context, fail context.CancelCauseFunc) (links []*foreignServer, domains []string, err error) {
	for _, e := range m.entries {
		domain := e.domain
		link, err := dial(m.config, e, m.options.Log, fail)
		if err != nil {
			return nil, nil, err
		}
		g, err := m.gateway(ctx, e, placement{endpoint: link, users: foreignUsers(m.config, domain)})
		if err != nil {
			return nil, nil, err
		}
		link.serves(g)
		links, domains = append(links, link), append(domains, domain.String())
	}
	return links, domains, nil
}

// dial makes a gateway's link to the foreign server. It reconnects by itself, except where the server answers at
// the first time that the domain or the secret is wrong: then there is something to be done first.
func dial(c config.Config, e enabled, log *slog.Logger, fail context.CancelCauseFunc) (*foreignServer, error) {
	kind, domain := e.kind, e.domain
	if e.secret == "" {
		return nil, fmt.Errorf("%s.secret: the secret that the foreign server has for %s is missing", kind, domain)
	}
	foreign := &foreignServer{}
	attached := false // only the link's own goroutine calls State
	link, err := component.Dial(component.Options{
		Addr: c.Foreign.Address, Domain: domain, Secret: e.secret,
		RetryMin: time.Duration(c.Gateway.RetryMin), RetryMax: time.Duration(c.Gateway.RetryMax), MaxBytes: int(c.Limits.ComponentBytes),
		Log: log,
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

// foreignServer is a gateway's link to another server, which reports to the gateway whether it is up.
type foreignServer struct {
	*component.Link
	gateway atomic.Pointer[bridge.Gateway]
}

// serves names the gateway, before the link runs.
func (f *foreignServer) serves(g *bridge.Gateway) {
	g.ServerAway()
	f.gateway.Store(g)
}

// run runs the gateway, and the link as soon as the gateway can take stanzas.
func (f *foreignServer) run(ctx context.Context, fail context.CancelCauseFunc) {
	g := f.gateway.Load()
	end := func(err error) {
		if err != nil && !errors.Is(err, context.Canceled) {
			fail(err)
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() { end(g.Run(ctx)) })
	wg.Go(func() {
		select {
		case <-g.Started():
			end(f.Link.Run(ctx))
		case <-ctx.Done():
		}
	})
	wg.Wait()
}

// countsOf adds up how often limits of the gateways were reached.
func countsOf(links []*foreignServer) []server.Count {
	var all []server.Count
	for _, l := range links {
		for _, c := range (service{l.gateway.Load()}).Counts() {
			i := slices.IndexFunc(all, func(o server.Count) bool { return o.Limit == c.Limit })
			if i < 0 {
				all = append(all, c)
			} else {
				all[i].Times += c.Times
			}
		}
	}
	return all
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

// refusal is the remedy where the foreign server does not take the component; nil for
// what may pass by itself.
func refusal(c config.Config, kind string, domain jid.JID, err error) error {
	if !errors.Is(err, component.ErrRefused) {
		return nil
	}
	peer, ok := errors.AsType[stream.PeerError](err)
	switch {
	case errors.Is(err, component.ErrNotComponents), ok && peer.Cause.Condition == stream.InvalidNamespace:
		return fmt.Errorf("foreign.address: %s takes no components: give the port that the server has for them", c.Foreign.Address)
	case !ok:
		return nil // it hung up without a reason: perhaps it is stopping
	case peer.Cause.Condition == stream.NotAuthorized: // ejabberd's answer to both
		return fmt.Errorf("%s.secret: %s does not accept the secret for %s, or does not know that domain: "+
			"the server's configuration must name both", kind, c.Foreign.Address, domain)
	case peer.Cause.Condition == stream.HostUnknown:
		return fmt.Errorf("%s.domain: %s has no component %s: add it to the server's configuration", kind, c.Foreign.Address, domain)
	}
	return fmt.Errorf("foreign.address: %s refuses the component %s: %w", c.Foreign.Address, domain, peer.Cause)
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
