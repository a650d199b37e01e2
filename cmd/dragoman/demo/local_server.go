package demo

import (
	"context"
	"fmt"
	"os"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/server"
	"github.com/dragoman-im/dragoman/transports/all"
	"github.com/dragoman-im/dragoman/transports/gateways"
)

const servedHost = "localhost"

// localServer is the XMPP server of the demo with its data directory and its one account.
type localServer struct {
	options   options
	config    config.Config
	temporary bool
	otherPort bool // the usual ports are taken
	password  string
	server    *server.Server
}

// newLocalServer chooses the ports and makes the data directory.
func newLocalServer(o options) (*localServer, error) {
	s := &localServer{options: o}
	var err error
	if s.config, err = config.Parse(nil, "", nil, gateways.Sections(all.Networks())...); err != nil {
		return nil, err
	}
	c := &s.config
	c.Server.Hosts = []string{servedHost}
	c.Listen.Component = nil
	c.Federation.Enabled = "no"
	c2s, err := s.address("--listen", o.listen, usualC2S)
	if err != nil {
		return nil, err
	}
	c2sTLS, err := s.address("--listen-tls", o.listenTLS, usualC2STLS)
	if err != nil {
		return nil, err
	}
	web, _, err := choose("--listen-http", o.listenWeb, usualHTTP)
	if err != nil {
		return nil, err
	}
	c.Listen.C2S, c.Listen.C2STLS, c.Listen.HTTP, c.Listen.HTTPTLS = []string{c2s}, []string{c2sTLS}, []string{web}, nil
	if c2s == c2sTLS {
		return nil, fmt.Errorf("--listen and --listen-tls are both %s: give them different ports", c2s)
	}
	if c.Server.Data = o.data; o.data == "" {
		s.temporary = true
		if c.Server.Data, err = os.MkdirTemp("", "dragoman-demo-"); err != nil {
			return nil, fmt.Errorf("make a temporary directory: %w; --data names another one", err)
		}
	}
	return s, nil
}

// open makes the account and the server, whose gateways connect to the fake servers.
func (s *localServer) open(ctx context.Context, networks []*network, t *tracer, out *screen) error {
	for _, n := range networks {
		settings := map[string]string{"enabled": "true", "api_url": n.apiURL}
		if n.kind == "slack" {
			settings["presence"] = "10s"
		}
		for key, value := range settings {
			if err := s.config.Set(n.kind+"."+key, value); err != nil {
				return err
			}
		}
	}
	if err := s.openCertificate(); err != nil {
		return err
	}
	if err := s.openAccount(ctx); err != nil {
		return err
	}
	var err error
	if s.server, err = gateways.Server(ctx, s.config, gateways.Options{Networks: all.Networks(), Log: out.logger(), Trace: t.bridgeStep}); err == nil {
		out.showWarnings()
	}
	return err
}

// removeData removes a temporary data directory.
func (s *localServer) removeData() error {
	if !s.temporary {
		return nil
	}
	if err := os.RemoveAll(s.config.Server.Data); err != nil {
		return fmt.Errorf("remove the temporary directory: %w", err)
	}
	return nil
}
