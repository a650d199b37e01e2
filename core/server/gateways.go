package server

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/transports/all"
	"github.com/dragoman-im/dragoman/transports/bridge"
)

// endpoint is what a gateway stands on, and what has to run for it.
type endpoint interface {
	bridge.Endpoint
	Run(ctx context.Context) error
}

// gateway is one bridge on its endpoint.
type gateway struct {
	*bridge.Gateway
	endpoint endpoint
}

// attacher gives a gateway its endpoint, and says who may use it.
type attacher func(all.Entry, jid.JID) (endpoint, []string, error)

// newGateways makes the gateways that are enabled.
func newGateways(ctx context.Context, c config.Config, o Options, s *store.Store, attach attacher) ([]*gateway, error) {
	entries, err := all.Enabled(c, o.Log)
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	keyFile := filepath.Join(c.Server.Data, "gateway.key")
	keys, err := bridge.LoadKeys(c.Gateway.Key, keyFile)
	if err != nil {
		return nil, fmt.Errorf("gateway.key: %w", err)
	}
	var gateways []*gateway
	for _, e := range entries {
		domain, err := jid.Parse(e.Domain)
		if err != nil {
			return nil, fmt.Errorf("gateway domain %q: %w", e.Domain, err)
		}
		end, users, err := attach(e, domain)
		if err != nil {
			return nil, err
		}
		kept, err := s.Bridge(ctx, domain)
		if err != nil {
			return nil, err
		}
		kind := e.Network.Info().Kind
		foreign, _ := end.(*foreignServer)
		had := s.Kept
		if foreign != nil {
			had = nil
		}
		g, err := bridge.New(bridge.Options{
			Network: e.Network, Endpoint: end, Store: kept, Keys: keys,
			Journal: filepath.Join(c.Server.Data, kind+"-"+domain.String()+".journal"), Settings: bridgeSettings(c, users),
			Log: o.Log, Trace: traceOf(o.Trace, domain), Kept: had, Version: Version(),
		})
		if err != nil {
			return nil, err
		}
		if foreign != nil {
			foreign.serves(g)
		}
		gateways = append(gateways, &gateway{g, end})
	}
	return gateways, nil
}

func bridgeSettings(c config.Config, users []string) bridge.Settings {
	return bridge.Settings{
		Users: users, Admins: c.Server.Admins, KeepWaiting: time.Duration(c.Gateway.Expire), KeepArchive: time.Duration(c.Server.Archive),
		History: c.Gateway.History, Members: c.Gateway.Members, Accounts: c.Gateway.Accounts, Stanzas: unlimited(c.Gateway.Stanzas),
	}
}

// embed attaches a gateway to this server's router, for the users of its hosts and whom the
// configuration adds.
func (s *Server) embed(e all.Entry, domain jid.JID) (endpoint, []string, error) {
	end, err := s.router.Endpoint(domain)
	if err != nil {
		return nil, nil, fmt.Errorf("attach %s: %w", domain, err)
	}
	for _, h := range s.hosts {
		h.disco.AddItem(domain, e.Network.Info().Name)
	}
	return end, slices.Concat(s.config.Server.Hosts, s.config.Gateway.Users), nil
}

// traceOf adds to each step which gateway's it is.
func traceOf(trace func(string, ...slog.Attr), domain jid.JID) func(string, ...slog.Attr) {
	if trace == nil {
		return nil
	}
	gateway := slog.String("gateway", domain.String())
	return func(step string, attrs ...slog.Attr) { trace(step, append([]slog.Attr{gateway}, attrs...)...) }
}
