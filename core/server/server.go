package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/accounts"
	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/c2s"
	"github.com/dragoman-im/dragoman/core/component"
	"github.com/dragoman-im/dragoman/core/database"
	"github.com/dragoman-im/dragoman/core/features/abuse"
	"github.com/dragoman-im/dragoman/core/federation"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/notification"
	"github.com/dragoman-im/dragoman/core/peerlimit"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/socket"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/administration"
	"github.com/dragoman-im/dragoman/core/store/exclusive"
	"github.com/dragoman-im/dragoman/core/store/nodes"
	"github.com/dragoman-im/dragoman/core/store/outbox"
	"github.com/dragoman-im/dragoman/core/store/resumable"
	roomtables "github.com/dragoman-im/dragoman/core/store/rooms"
)

// served are the served hosts with what they share.
type served struct {
	hosts     []*host
	anonymous []*anonymousHost
	backends  backends // of passwords and tokens
	rooms     *notification.Notifier

	roomTables *roomtables.Tables
}

// Options are the parameters of New besides the configuration.
type Options struct {
	Log *slog.Logger // nil: nothing is logged
}

// Server is an assembled server.
type Server struct {
	config config.Config
	log    *slog.Logger
	store  *store.Store
	hold   *exclusive.Hold // keeps other processes from the store
	router *router.Router
	served
	connections
	services   services
	ports      ports
	rights     *admin.Rights
	quota      *peerlimit.Quota // of accounts that are registered on any host
	signals    signals
	reloadable reloadable
}

// connections are the parts of a server that accept connections.
type connections struct {
	clients    *c2s.Server
	components *component.Server
	remote     *federation.Federation // nil if the server does not communicate with others
	outbox     *outbox.Outbox         // messages to them that are on the disk
	http       http
}

// New assembles a server and opens its ports and its database. Errors of the configuration that only show
// at run time are returned here. After it, Attach may be called, and then Run or Close must be.
func New(ctx context.Context, c config.Config, o Options) (s *Server, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s = &Server{config: c, log: o.Log, router: router.New(o.Log), quota: peerlimit.NewQuota(registrationLimits(c.Limits)), signals: newSignals()}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
			s = nil
		}
	}()
	s.reloadable.keep.Store(accounts.NewRetention(c))
	s.reloadable.archiveQuota.set(c)
	s.reloadable.groups.Store(&c.Groups)
	s.reloadable.clientsKept.Store(int64(c.Login.ClientsKept))
	s.reloadable.lists = abuse.NewLists()
	if err = s.reloadable.lists.Read(c.Strangers.Lists...); err != nil {
		return s, fmt.Errorf("strangers.lists: %w", err)
	}
	s.reloadable.kept = make(chan struct{}, 1)
	// First, so that a second server with the same configuration is told about the first one, and not about a port.
	if s.hold, err = database.Hold(ctx, c, exclusive.Serve); err != nil {
		return s, err
	}
	if s.ports, err = listen(c); err != nil {
		return s, err
	}
	s.ports.newRelay(s, c)
	if s.store, err = database.OpenHeld(ctx, c, o.Log); err != nil {
		return s, err
	}
	s.rights = admin.NewRights(c.Server.Admins, c.Accounts.Operators, administration.New(s.store, c.Login.Iterations))
	if err = s.rights.Reload(ctx); err != nil {
		return s, err
	}
	if err = s.backends.open(c, o.Log); err != nil {
		return s, err
	}
	s.rooms = s.newNotifier()
	subscribed, err := subscribedLists(c)
	if err != nil {
		return s, err
	}
	err = s.newHosts(ctx, assembly{
		config: c, store: s.store, log: o.Log, reserved: accounts.Reserved(c), quota: s.quota, removed: s.wakeRemovals,
		rights: s.rights, stop: s.stopAfter, nodes: nodes.New(s.store), backends: s.backends.list,
		shared: shared{s.reloadable.lists, subscribed, s.ports.proxyOptions(c), s.rooms, s.keptByConfig},
	})
	if err != nil {
		return s, err
	}
	if err = s.newAnonymous(c); err != nil {
		return s, err
	}
	if err = s.updateGroups(ctx); err != nil {
		return s, err
	}
	if err = s.newConferences(); err != nil {
		return s, err
	}
	if err = s.newComponents(); err != nil {
		return s, err
	}
	if err = s.newClients(); err != nil {
		return s, err
	}
	if err = s.newFederation(); err != nil {
		return s, err
	}
	err = s.newHTTP()
	return s, err
}

// newHosts makes the served hosts. The first one subscribes to block lists, which count for all.
func (s *Server) newHosts(ctx context.Context, a assembly) error {
	for _, name := range s.config.Server.Hosts {
		domain, err := jid.Parse(name)
		if err != nil {
			return fmt.Errorf("server.hosts: %w", err)
		}
		h, err := newHost(s.router, domain, a)
		if err != nil {
			return err
		}
		s.hosts = append(s.hosts, h)
		if err = h.admin.Load(ctx); err != nil {
			return err
		}
	}
	return s.hosts[0].blockLists.Load(ctx)
}

// Close closes the ports and the database of a server on which Run was not called.
func (s *Server) Close() error {
	err := errors.Join(s.ports.close(), s.backends.close())
	s.stopEvents()
	if s.http.disk != nil {
		err = errors.Join(err, s.http.disk.Close())
	}
	if s.store != nil {
		err = errors.Join(err, s.store.Close())
	}
	return errors.Join(err, s.hold.Close())
}

// newClients creates the server for client connections.
func (s *Server) newClients() error {
	secret, err := loadOrCreateSecret(filepath.Join(s.config.Server.Data, database.SASLKeyName))
	if err != nil {
		return err
	}
	certificates, err := s.certificates(s.config)
	if err != nil {
		return err
	}
	s.reloadable.certificates.Store(&certificates)
	hosts := make([]c2s.Host, 0, len(s.hosts))
	for _, h := range s.hosts {
		auth, err := s.newSASL(h, secret)
		if err != nil {
			return err
		}
		entry := c2s.Host{Router: h.Host, SASL: auth, LoggedIn: h.accounts.LoggedIn, Features: h.StreamFeatures(context.Background())}
		if before := h.beforeLogin(); before != nil {
			entry.FeaturesBeforeLogin, entry.BeforeLogin = before.StreamFeatures, before.Answer
		}
		hosts = append(hosts, entry)
	}
	for _, h := range s.anonymous {
		entry, err := h.client(s.config.Login.Tries)
		if err != nil {
			return err
		}
		hosts = append(hosts, entry)
	}
	gone := make([]jid.JID, 0, len(s.config.Server.Gone))
	for _, name := range s.config.Server.Gone {
		domain, err := jid.Parse(name)
		if err != nil {
			return fmt.Errorf("server.gone: %w", err)
		}
		gone = append(gone, domain)
	}
	sessions := resumable.New(s.store, s.log)
	accepted, err := clientCertificates(s.config.TLS, s.log)
	if err != nil {
		return err
	}
	s.clients, err = c2s.NewServer(c2s.Config{
		ClientCertificates: accepted,
		Hosts:              hosts, Gone: gone, Certificates: s.reloadable.certificate, Plain: !s.config.TLS.Required, Conflict: conflict(s.config.Login.Conflict),
		Limits: clientLimits(s.config), Pace: s.store.Pace, Log: s.log,
		Resumption: c2s.Resumption{
			Sessions: sessions, Archive: sessions, Location: s.config.Login.ResumeLocation,
		},
	})
	return err
}

func conflict(policy string) c2s.Conflict {
	return map[string]c2s.Conflict{"replace": c2s.Replace, "reject": c2s.Reject, "rename": c2s.Rename}[policy]
}

// certificates returns the certificate that a configuration names for all hosts, or a self-signed one.
func (s *Server) certificates(c config.Config) (socket.Certificates, error) {
	if c.TLS.Certificate != "" {
		return Certificate(c.TLS, s.log)
	}
	file := filepath.Join(c.Server.Data, "self-signed.pem")
	own, err := socket.NewSelfSignedCertificate(file, slices.Concat(c.Server.Hosts, c.Anonymous.Hosts))
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	s.log.Warn("no certificate is configured: clients will ask whether they may trust a self-signed one", "file", file)
	return own.Certificate, nil
}
