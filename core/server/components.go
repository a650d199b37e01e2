package server

import (
	"fmt"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/component"
	"github.com/dragoman-im/dragoman/core/features/privilege"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func privilegeLimits(l config.Limits) privilege.Limits {
	return privilege.Limits{Requests: l.ComponentRequests, Presences: l.ComponentPresences}
}

// newComponents creates the server for external components (XEP-0114).
func (s *Server) newComponents() error {
	accounts := make([]component.Account, 0, len(s.config.Components))
	for i, k := range s.config.Components {
		domain, err := jid.Parse(k.Domain)
		if err != nil {
			return fmt.Errorf("component[%d].domain: %w", i, err)
		}
		accounts = append(accounts, component.Account{
			Domain: domain, Secret: k.Secret, Connections: k.Connections, Rate: int(k.Rate),
			RejectMore: k.Conflict == config.Reject, Spread: k.Distribution == config.Spread,
		})
		for _, h := range s.hosts {
			h.disco.AddItem(domain, "")
		}
	}
	var err error
	s.components, err = component.NewServer(component.Config{
		Router: s.router, Name: s.hosts[0].domain, Accounts: accounts, Certificates: s.reloadable.certificate,
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
