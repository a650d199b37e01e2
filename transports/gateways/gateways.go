package gateways

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/server"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Options are what gateways are given besides the configuration.
type Options struct {
	Networks []transports.Registration // those of which the configuration's sections were made
	Log      *slog.Logger              // nil: nothing is logged
	// Trace is called at each step of a message between XMPP and a network; may be nil.
	Trace func(step string, attrs ...slog.Attr)
}

// Server assembles a server with the gateways that are enabled; its Run has to be called, or Close.
func Server(ctx context.Context, c config.Config, o Options) (*server.Server, error) {
	s, err := server.New(ctx, c, server.Options{Log: o.Log})
	if err != nil {
		return nil, err
	}
	if err := attach(ctx, s, c, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Serve runs Server until ctx ends.
func Serve(ctx context.Context, c config.Config, o Options) error {
	s, err := Server(ctx, c, o)
	if err != nil {
		return err
	}
	return s.Run(ctx)
}

// attach makes the gateways on endpoints of the server's router, for the users of its hosts and
// for whom the configuration adds.
func attach(ctx context.Context, s *server.Server, c config.Config, o Options) error {
	m, err := newMaker(ctx, c, o, s.Store())
	if err != nil {
		return err
	}
	for _, e := range m.entries {
		end, err := s.Router().Endpoint(e.domain)
		if err != nil {
			return fmt.Errorf("attach %s: %w", e.domain, err)
		}
		g, err := m.gateway(ctx, e, placement{
			endpoint: end, users: slices.Concat(c.Server.Hosts, c.Gateway.Users), kept: s.Store().PrepareRedelivery,
		})
		if err != nil {
			return err
		}
		if err := s.Attach(server.Attachment{
			Service: service{g}, Endpoint: end, Name: e.Info().Name,
			Privileges: server.Privileges{Roster: true, Message: true}, // it is part of this server
		}); err != nil {
			return err
		}
	}
	return nil
}

// service is a gateway as core/server runs it.
type service struct{ *bridge.Gateway }

func (s service) Counts() []server.Count {
	return []server.Count{{Limit: "gateway.stanzas", Times: uint64(s.Counters.Limited.Load())}}
}

// maker makes the gateways of a configuration.
type maker struct {
	config  config.Config
	options Options
	tables  *tables.Database
	entries []enabled
	keys    *bridge.Keys
}

func newMaker(ctx context.Context, c config.Config, o Options, s *store.Store) (*maker, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	database, err := tables.Open(ctx, s) // also without gateways: those of earlier runs have rows
	if err != nil {
		return nil, err
	}
	if !anyEnabled(c) {
		return &maker{}, nil
	}
	keys, err := bridge.LoadKeys(c.Gateway.Key, filepath.Join(c.Server.Data, "gateway.key"))
	if err != nil {
		return nil, fmt.Errorf("gateway.key: %w", err)
	}
	entries, err := open(c, o.Networks, keys, o.Log)
	if err != nil {
		return nil, err
	}
	return &maker{c, o, database, entries, keys}, nil
}

// placement is what differs between a gateway inside this server and one under another server.
type placement struct {
	endpoint bridge.Endpoint
	users    []string
	kept     func(context.Context, *stanza.Stanza) (bool, error) // nil where the server cannot be asked
}

func (m *maker) gateway(ctx context.Context, e enabled, p placement) (*bridge.Gateway, error) {
	domain := p.endpoint.Domain()
	kept, err := m.tables.Gateway(ctx, domain)
	if err != nil {
		return nil, err
	}
	log := filepath.Join(m.config.Server.Data, e.kind+"-"+domain.String()+".journal")
	return bridge.New(bridge.Options{
		Network: e.Network, Endpoint: p.endpoint, Store: kept, Keys: m.keys, DeliveryLog: log, Settings: settings(m.config, p.users),
		Log: m.options.Log, Trace: traceOf(m.options.Trace, domain), Kept: p.kept, Version: server.Version(),
	})
}

func settings(c config.Config, users []string) bridge.Settings {
	stanzas := c.Gateway.Stanzas
	if stanzas == 0 {
		stanzas = -1 // no limit
	}
	return bridge.Settings{
		Users: users, Admins: c.Server.Admins, KeepWaiting: time.Duration(c.Gateway.Expire), KeepArchive: time.Duration(c.Server.Archive),
		History: c.Gateway.History, Members: c.Gateway.Members, Logins: c.Gateway.Accounts, Stanzas: stanzas,
	}
}

// traceOf adds the gateway's domain to each step.
func traceOf(trace func(string, ...slog.Attr), domain jid.JID) func(string, ...slog.Attr) {
	if trace == nil {
		return nil
	}
	gateway := slog.String("gateway", domain.String())
	return func(step string, attrs ...slog.Attr) { trace(step, append([]slog.Attr{gateway}, attrs...)...) }
}
