package server

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/features/privilege"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/store"
)

// Service is the work of a domain that a part of this process serves, such as a gateway.
type Service interface {
	// Run works until ctx ends. An error stops the server.
	Run(ctx context.Context) error
	// Started is closed once Run can take stanzas; its endpoint is run from then on.
	Started() <-chan struct{}
	// RemoveUser deletes what the service keeps about an account, which is being deleted.
	// It is called after Started, and again after an error of any part of the deletion.
	RemoveUser(ctx context.Context, account jid.JID) error
	// Counts are the limits of the service's own, under the names of their settings.
	Counts() []Count
}

// Privileges are what a domain may do on behalf of the hosts' accounts (XEP-0356).
type Privileges = privilege.Permissions

// Attachment is a service with what the server has to know about its domain.
type Attachment struct {
	Service
	Endpoint   *router.Endpoint // the domain, made by Server.Router().Endpoint
	Name       string           // shown in the hosts' disco#items
	Privileges Privileges
}

// Router is what services send through; it lives as long as the server.
func (s *Server) Router() *router.Router { return s.router }

// Store is the server's database; Run and Close close it.
func (s *Server) Store() *store.Store { return s.store }

// Attach adds services to a server that does not run yet. Run starts them before it accepts
// clients and stops them when the clients have been disconnected.
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

// start runs a service, and its endpoint as soon as the service can take stanzas.
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
