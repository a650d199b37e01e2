package gateways

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/server"
	"github.com/dragoman-im/dragoman/core/socket"
	"github.com/dragoman-im/dragoman/core/web"
)

// files serves the files of the networks over HTTP for gateways that are components of another server.
type files struct {
	web        *web.Server // nil: they keep the networks' own addresses
	plain, tls []net.Listener
}

// listen opens the HTTP listeners of gateways under a foreign server. It opens them only where the configuration has their public address,
// because the foreign server may use the default ports itself.
func (m *maker) listen(ctx context.Context, c config.Config) (*files, error) {
	f := &files{}
	if !c.Media.Enabled || c.Web.URL == "" {
		return f, nil
	}
	var certificates socket.Certificates
	if c.TLS.Certificate != "" {
		var err error
		if certificates, err = server.Certificate(c.TLS, m.options.Log); err != nil {
			return nil, err
		}
	}
	var proxies []netip.Prefix
	for _, text := range c.Web.Proxies {
		p, err := config.ParseNetwork(text)
		if err != nil {
			return nil, fmt.Errorf("web.trusted_proxies: %w", err)
		}
		proxies = append(proxies, p)
	}
	if err := m.openMedia(c); err != nil {
		return nil, err
	}
	f.web = web.New(web.Options{Certificates: certificates, Proxies: proxies, Limits: server.WebLimits(c.Limits), Log: m.options.Log})
	f.web.Handle(m.media.Routes()...)
	err := openListeners(ctx, "listen.http", c.Listen.HTTP, &f.plain)
	if err == nil && certificates != nil {
		err = openListeners(ctx, "listen.http_tls", c.Listen.HTTPTLS, &f.tls)
	}
	if err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

// openListeners listens at the addresses of a setting.
func openListeners(ctx context.Context, setting string, addrs []string, to *[]net.Listener) error {
	for _, a := range addrs {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a)
		if err != nil {
			return fmt.Errorf("%s: %w", setting, err)
		}
		*to = append(*to, l)
	}
	return nil
}

// close closes listeners that are not served.
func (f *files) close() {
	for _, l := range append(f.plain, f.tls...) {
		_ = l.Close()
	}
}

// run serves until ctx ends; fail is called after an error.
func (f *files) run(ctx context.Context, fail context.CancelCauseFunc) *sync.WaitGroup {
	var all sync.WaitGroup
	serve := func(how func(context.Context, net.Listener) error, l net.Listener) {
		all.Go(func() {
			if err := how(ctx, l); err != nil && !errors.Is(err, context.Canceled) {
				fail(err)
			}
		})
	}
	for _, l := range f.plain {
		serve(f.web.Serve, l)
	}
	for _, l := range f.tls {
		serve(f.web.ServeTLS, l)
	}
	return &all
}

// shutdown waits for requests that are served, at most until ctx ends.
func (f *files) shutdown(ctx context.Context) {
	if f.web != nil {
		f.web.Shutdown(ctx)
	}
}

// counts are how often limits of the listeners were reached.
func (f *files) counts() []server.Count {
	if f.web == nil {
		return nil
	}
	var all []server.Count
	for _, c := range f.web.Counters.Limits() {
		all = append(all, server.Count{Limit: c.Setting, Times: c.Value.Load()})
	}
	return all
}
