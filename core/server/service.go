package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/features/privilege"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
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

// GatewayPrivileges are those of the gateways of this server.
func GatewayPrivileges() Privileges { return privilege.ForGateways() }

// SentElsewhere returns the message that an account has sent with a network's own client, if that is what a message of a
// privileged service to a host says; else nil.
func SentElsewhere(st *stanza.Stanza) *stanza.Stanza { return privilege.SentElsewhere(st) }

// Attachment is a service with its domain.
type Attachment struct {
	Service
	Endpoint   *router.Endpoint // the domain, made by Server.Router().Endpoint
	Name       string           // shown in the hosts' disco#items
	Privileges Privileges
	Host       jid.JID       // the only host that shows it; zero: all
	Rooms      archive.Rooms // whose archives accounts may search; nil where it has none
}

// services are the attached services.
type services struct {
	mu      sync.Mutex
	list    []*attached
	working context.Context // of Run; nil before it and after it
	group   *group          // of Run
	ended   bool
}

// attached is a service with what ends it.
type attached struct {
	Attachment
	end     context.CancelFunc // nil before it is started
	running sync.WaitGroup
}

// Router returns the router, through which services send. It lives as long as the server.
func (s *Server) Router() *router.Router { return s.router }

// Store returns the server's database. Run and Close close it.
func (s *Server) Store() *store.Store { return s.store }

// Attach adds services. Those that are attached before Run are started by it before it accepts clients; later
// ones are started at once. All are stopped after all clients are disconnected.
func (s *Server) Attach(list ...Attachment) error {
	s.services.mu.Lock()
	defer s.services.mu.Unlock()
	for _, a := range list {
		domain := a.Endpoint.Domain()
		if s.services.ended {
			return fmt.Errorf("attach %s: the server has stopped", domain)
		}
		if s.services.of(domain) != nil {
			return fmt.Errorf("attach %s: its earlier service has not ended", domain)
		}
		if !s.router.Serves(domain) {
			return fmt.Errorf("attach %s: the router has no such endpoint", domain)
		}
		for _, h := range s.hosts {
			if a.Host.IsZero() || a.Host == h.domain {
				h.disco.AddItem(domain, a.Name)
			}
			h.privileges.Grant(domain, a.Privileges)
			if a.Rooms != nil {
				h.archive.messages.Add(domain, a.Rooms)
			}
		}
		entry := &attached{Attachment: a}
		s.services.list = append(s.services.list, entry)
		if s.services.working != nil {
			s.start(entry)
		}
	}
	return nil
}

// Remove stops the service of a domain and waits until it has ended. Its domain is then free. If ctx ends first, Remove
// may be called again to wait further.
func (s *Server) Remove(ctx context.Context, domain jid.JID) error {
	s.services.mu.Lock()
	a := s.services.of(domain)
	s.services.mu.Unlock()
	if a == nil {
		return fmt.Errorf("remove %s: there is no such service", domain)
	}
	for _, h := range s.hosts {
		h.disco.RemoveItem(domain)
		h.archive.messages.Remove(domain)
	}
	if a.end != nil {
		a.end()
	}
	err := Wait(ctx, &a.running)
	for _, h := range s.hosts {
		h.privileges.Grant(domain, Privileges{}) // while it ended it may have changed rosters
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", domain, err)
	}
	a.Endpoint.Close()
	s.services.mu.Lock()
	defer s.services.mu.Unlock()
	s.services.list = slices.DeleteFunc(slices.Clone(s.services.list), func(o *attached) bool { return o == a })
	return nil
}

// of returns the service of a domain, nil if there is none. The caller holds the lock.
func (s *services) of(domain jid.JID) *attached {
	for _, a := range s.list {
		if a.Endpoint.Domain() == domain {
			return a
		}
	}
	return nil
}

// attachedServices returns the services at the moment.
func (s *Server) attachedServices() []*attached {
	s.services.mu.Lock()
	defer s.services.mu.Unlock()
	return s.services.list // a change replaces it
}

// startServices starts the services that were attached before Run.
func (s *Server) startServices(ctx context.Context, in *group) {
	s.services.mu.Lock()
	defer s.services.mu.Unlock()
	s.services.working, s.services.group = ctx, in
	for _, a := range s.services.list {
		s.start(a)
	}
}

// endServices refuses further services. Run ends those that run.
func (s *Server) endServices() {
	s.services.mu.Lock()
	defer s.services.mu.Unlock()
	s.services.working, s.services.ended = nil, true
}

// start runs a service, and its endpoint once the service is started. The caller holds the lock.
func (s *Server) start(a *attached) {
	ctx, end := context.WithCancel(s.services.working)
	a.end = end
	run := func(f func() error) {
		a.running.Add(1)
		s.services.group.run(func() error {
			defer a.running.Done()
			err := f()
			if ctx.Err() != nil && errors.Is(err, context.Canceled) {
				return nil
			}
			return err
		})
	}
	run(func() error { return a.Run(ctx) })
	run(func() error {
		select {
		case <-a.Started():
			return a.Endpoint.Run(ctx)
		case <-ctx.Done():
			return nil
		}
	})
	s.advertise(a.Endpoint.Domain(), s.router.Route)
}
