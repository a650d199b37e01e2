package server

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/features/serverinfo"
	"github.com/dragoman-im/dragoman/core/federation"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/s2s"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/outbox"
)

// dialbackKeyName is the file of the secret of dialback keys.
const dialbackKeyName = "dialback.key"

// newFederation makes the server communicate with other servers, if the configuration wants that.
func (s *Server) newFederation() error {
	s.outbox = outbox.New(s.store, s.log) // also where nothing is added: an earlier process may have left something there
	if !s.config.Federates() {
		return nil
	}
	secret, err := loadOrCreateSecret(filepath.Join(s.config.Server.Data, dialbackKeyName))
	if err != nil {
		return err
	}
	s.remote, err = federation.New(s.config, s2s.Config{
		Router: s.router, Name: s.hosts[0].domain, Certificates: s.reloadable.certificate, Outbox: s.outbox, Secret: secret, Pace: s.store.Pace, Log: s.log,
	})
	if err != nil {
		return err
	}
	s.router.SetRemote(s.remote)
	for _, h := range s.hosts {
		h.admin.Links = s.remote.Links()
		h.events.info.Connect(func() []serverinfo.Connection { return s.connectionsOf(h.domain) })
	}
	return nil
}

// restoreOutbox sends again what an earlier process has left in the outbox. Without communication with other servers the router gives it
// back to its senders.
func (s *Server) restoreOutbox(ctx context.Context) error {
	if s.remote != nil {
		return s.remote.Restore(ctx)
	}
	err := s.outbox.Load(ctx, func(st *stanza.Stanza, _ time.Time, remove func()) {
		if s.router.Serves(st.From) {
			s.router.Route(st)
		}
		remove()
	})
	if err != nil {
		return err
	}
	return s.outbox.Flush(ctx)
}

// maxPublished is how many connections are looked at for publication.
const maxPublished = 10_000

// newServerInfo returns what publishes the connections of a host, if the configuration wants that and there is a service to publish at.
func newServerInfo(h *router.Host, a assembly, nodes *pubsub.Engine) *serverinfo.Info {
	o := serverinfo.Options{Every: time.Duration(a.config.Federation.PublishConnections), Nodes: nodes, Log: a.log}
	if label := a.config.Pubsub.Domain; label != "" {
		if at, err := jid.Parse(label + "." + h.Domain().Domain()); err == nil && !a.config.Named(at.Domain()) {
			o.Service = at
		}
	}
	return serverinfo.New(h, o)
}

// connectionsOf returns the connections of a host and of the domains below it that no other host is nearer to.
func (s *Server) connectionsOf(host jid.JID) (list []serverinfo.Connection) {
	for _, c := range s.remote.Connections(maxPublished) {
		if !c.Connected || s.hostOf(c.Ours) != host {
			continue
		}
		one := serverinfo.Connection{Ours: c.Ours, Theirs: c.Theirs, Direction: serverinfo.Outgoing}
		switch {
		case c.Bidi:
			one.Direction = serverinfo.Both
		case c.Incoming:
			one.Direction = serverinfo.Incoming
		}
		list = append(list, one)
	}
	return list
}

// hostOf returns the host that a domain is, or is below; the longest one.
func (s *Server) hostOf(domain string) (longest jid.JID) {
	for _, h := range s.hosts {
		name := h.domain.Domain()
		if (domain == name || strings.HasSuffix(domain, "."+name)) && len(name) > len(longest.Domain()) {
			longest = h.domain
		}
	}
	return longest
}
