package server

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/features/privilege"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/store"
)

// Service is a part of this process that serves a domain, such as a gateway.
type Service interface {
	// Run runs until ctx ends. An error stops the server.
	Run(ctx context.Context) error
	// Started returns a channel that is closed when the service can handle stanzas; its endpoint runs from
	// then on.
	Started() <-chan struct{}
	// RemoveUser deletes the service's data about an account that is being deleted. It is called after
	// Started, and again if any part of the deletion has failed.
	RemoveUser(ctx context.Context, account jid.JID) error
	// Counts returns how often limits of the service were reached, by the names of their settings.
	Counts() []Count
}

// Privileges are the permissions of a domain on the hosts (XEP-0356).
type Privileges = privilege.Permissions

// Attachment is a service with its domain.
type Attachment struct {
	Service
	Endpoint   *router.Endpoint // the domain, made by Server.Router().Endpoint
	Name       string           // shown in the hosts' disco#items
	Privileges Privileges
}

// Router returns the router, through which services send. It lives as long as the server.
func (s *Server) Router() *router.Router { return s.router }

// Store returns the server's database. Run and Close close it.
func (s *Server) Store() *store.Store { return s.store }

// Attach adds services before Run. Run starts them before it accepts clients, and stops them after all
// clients are disconnected.
func (s *Server) Attach(list ...Attachment) error {
	for _, a := range list {
		domain := a.Endpoint.Domain()
		if !s.router.Serves(domain) {
			return fmt.Errorf("attach %s: the router has no such endpoint", domain)
		}
		for _, h := range s.hosts {
			h.disco.AddItem(domain, a.Name)
			h.privileges.Grant(domain, a.Privileges)
		}
		s.services = append(s.services, a)
	}
	return nil
}

// start runs a service, and its endpoint once the service is started.
func (a Attachment) start(ctx context.Context, in *group) {
	in.run(func() error { return a.Run(ctx) })
	in.run(func() error {
		select {
		case <-a.Started():
			return a.Endpoint.Run(ctx)
		case <-ctx.Done():
			return nil
		}
	})
}
