package server

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/c2s"
	coredisco "github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/features/anonymous"
	"github.com/dragoman-im/dragoman/core/features/contact"
	"github.com/dragoman-im/dragoman/core/features/disco"
	"github.com/dragoman-im/dragoman/core/features/entitytime"
	"github.com/dragoman-im/dragoman/core/features/outage"
	"github.com/dragoman-im/dragoman/core/features/ping"
	"github.com/dragoman-im/dragoman/core/features/presence"
	"github.com/dragoman-im/dragoman/core/features/version"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/sasl"
)

// anonymousHost is a domain whose accounts are those of clients without an account (XEP-0175). It has no features that store anything.
type anonymousHost struct {
	*router.Host
	accounts *anonymous.Accounts
}

// newAnonymous creates the hosts of section [anonymous] and attaches them to the router.
func (s *Server) newAnonymous(c config.Config) error {
	for _, name := range c.Anonymous.Hosts {
		domain, err := jid.Parse(name)
		if err != nil {
			return fmt.Errorf("anonymous.hosts: %w", err)
		}
		h := newAnonymousHost(s.router, domain, c, s.log)
		if err := s.router.Attach(domain, h.Host); err != nil {
			return fmt.Errorf("serve %s: %w", domain, err)
		}
		s.anonymous = append(s.anonymous, h)
	}
	return nil
}

func newAnonymousHost(r *router.Router, domain jid.JID, c config.Config, log *slog.Logger) *anonymousHost {
	a := &anonymousHost{accounts: anonymous.NewAccounts(domain, c.Limits.AnonymousSessions)}
	a.Host = router.NewHost(r, domain, router.HostOptions{
		Accounts: a.accounts, Log: log, Strict: router.Strict{Unknown: c.Server.Silent, Requests: c.Server.Private},
	})
	a.accounts.Serve(a.Host)
	d := disco.New(a.Host, disco.Options{
		Name: softwareName, Node: softwareNode, Account: coredisco.Identity{Category: "account", Type: "anonymous"},
		Shares: func(context.Context, *router.Account, jid.JID) bool { return true }, // XEP-0175 §3: to whoever asks
	})
	for _, name := range c.Anonymous.Allow {
		if item, err := jid.Parse(name); err == nil {
			d.AddItem(item, "")
		}
	}
	a.Use(
		c2s.Feature(),
		presence.New(a.Host, anonymous.Subscriptions{}, anonymous.LastSeen{}, log).Feature(),
		anonymous.New(a.accounts, c.Anonymous.Allow).Feature(),
		d.Feature(),
		ping.Feature(),
		entitytime.Feature(),
		version.Feature(softwareName, Version()),
		contact.Feature(c.Server.Contacts),
		outage.Feature(c.Status.Addresses),
	)
	return a
}

// client returns the host as clients connect to it: the only mechanism is ANONYMOUS.
func (a *anonymousHost) client(tries int) (c2s.Host, error) {
	auth, err := sasl.NewServer(sasl.Config{Host: a.Domain(), Tries: tries, Mechanisms: []string{sasl.Anonymous}})
	if err != nil {
		return c2s.Host{}, err
	}
	return c2s.Host{Router: a.Host, SASL: auth, Temporary: a.accounts, Features: a.StreamFeatures(context.Background())}, nil
}
