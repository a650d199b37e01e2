package server

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/component"
	"github.com/dragoman-im/dragoman/core/features/delegation"
	"github.com/dragoman-im/dragoman/core/features/privilege"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// foreign is what the configuration grants to others' components.
type foreign struct {
	accounts   []component.Account
	privileged map[jid.JID]privilege.Permissions // XEP-0356
	delegated  []delegation.Grant                // XEP-0355
}

// foreignComponents returns what the configuration grants.
func foreignComponents(list []config.Component) (foreign, error) {
	f := foreign{privileged: map[jid.JID]privilege.Permissions{}}
	for i, k := range list {
		domain, err := jid.Parse(k.Domain)
		if err != nil {
			return f, fmt.Errorf("component[%d].domain: %w", i, err)
		}
		a := component.Account{Domain: domain, Secret: k.Secret, Connections: k.Connections, Rate: int(k.Rate)}
		if k.Conflict == config.Reject {
			a.Conflict = component.Reject
		}
		if k.Distribution == config.Spread {
			a.Distribution = component.Spread
		}
		f.accounts = append(f.accounts, a)
		f.privileged[domain] = permissions(k)
		for _, entry := range k.Delegated {
			namespace, attributes := config.Delegation(entry)
			f.delegated = append(f.delegated, delegation.Grant{Namespace: namespace, Attributes: attributes, By: domain})
		}
	}
	return f, nil
}

// permissions returns the privileges of a component.
func permissions(k config.Component) privilege.Permissions {
	p := privilege.Permissions{Requests: map[string]privilege.Access{}}
	for _, name := range k.Privileges {
		switch name {
		case "roster":
			p.Roster = privilege.Access{Get: true, Set: true}
		case "roster-get":
			p.Roster.Get = true
		case "roster-set":
			p.Roster.Set = true
		case "message":
			p.Message = true
		case "presence":
			p.Presence = max(p.Presence, privilege.Accounts)
		case "presence-roster":
			p.Presence = privilege.Contacts
		}
	}
	p.Pushes = p.Roster.Get && !k.NoPushes // XEP-0356 §4.1
	for _, entry := range k.Requests {
		get, set, namespace := config.Request(entry)
		a := p.Requests[namespace]
		p.Requests[namespace] = privilege.Access{Get: a.Get || get, Set: a.Set || set}
	}
	return p
}

func privilegeLimits(l config.Limits) privilege.Limits {
	return privilege.Limits{Requests: l.ComponentRequests, Presences: l.ComponentPresences}
}

// newComponents creates the server for external components (XEP-0114).
func (s *Server) newComponents(others foreign) error {
	for _, a := range others.accounts {
		for _, h := range s.hosts {
			h.disco.AddItem(a.Domain, "")
		}
	}
	var err error
	s.components, err = component.NewServer(component.Config{
		Router: s.router, Name: s.hosts[0].domain, Accounts: others.accounts, Certificates: s.reloadable.certificate,
		Limits: componentLimits(s.config), OnAttach: s.advertise, Log: s.log,
	})
	return err
}

// advertise tells a domain that has just attached what it may do on each host.
func (s *Server) advertise(domain jid.JID, send func(*stanza.Stanza)) {
	for _, h := range s.hosts {
		h.privileges.Attached(domain, send)
		h.delegation.Attached(domain, send)
		h.blockLists.Attached(domain)
	}
}

// serveComponents accepts components until ctx ends, and returns when the last one is disconnected.
func (s *Server) serveComponents(ctx context.Context) error {
	defer s.components.Shutdown()
	var serving sync.WaitGroup
	var failed, failedTLS error
	for _, l := range s.ports.component {
		serving.Go(func() { failed = s.components.Serve(ctx, l) })
	}
	for _, l := range s.ports.componentTLS {
		serving.Go(func() { failedTLS = s.components.ServeTLS(ctx, l) })
	}
	serving.Wait()
	if err := errors.Join(failed, failedTLS); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
