package server

import (
	"github.com/dragoman-im/dragoman/core/component"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// newComponents creates the server for external components (XEP-0114).
func (s *Server) newComponents() error {
	externals, err := component.Configured(s.config.Components)
	if err != nil {
		return err
	}
	for _, a := range externals {
		for _, h := range s.hosts {
			h.disco.AddItem(a.Domain, "")
		}
	}
	s.components, err = component.NewServer(component.Config{
		Router: s.router, Name: s.hosts[0].domain, Components: externals, Certificates: s.reloadable.certificate,
		Limits: componentLimits(s.config), OnAttach: s.advertise, Log: s.log,
	})
	for _, h := range s.hosts {
		h.admin.Components = s.components.States
	}
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
