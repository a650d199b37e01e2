package server

import (
	"path/filepath"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/federation"
	"github.com/dragoman-im/dragoman/core/s2s"
)

// dialbackKeyName is the file of the secret of dialback keys.
const dialbackKeyName = "dialback.key"

// newFederation makes the server communicate with other servers, if the configuration wants that.
func (s *Server) newFederation() error {
	if !s.config.Federates() {
		return nil
	}
	secret, err := loadOrCreateSecret(filepath.Join(s.config.Server.Data, dialbackKeyName))
	if err != nil {
		return err
	}
	s.remote, err = federation.New(s.config, s2s.Config{
		Router: s.router, Name: s.hosts[0].domain, Certificates: s.reloadable.certificate, Secret: secret, Pace: s.store.Pace, Log: s.log,
	})
	if err != nil {
		return err
	}
	s.router.SetRemote(s.remote)
	for _, h := range s.hosts {
		h.admin.Links = linkKeeper{s.remote.Server}
	}
	return nil
}

// linkKeeper shows administrators the connections with other servers.
type linkKeeper struct{ *s2s.Server }

func (k linkKeeper) Connections(max int) []admin.Connection {
	var list []admin.Connection
	for _, c := range k.Server.Connections(max) {
		one := admin.Connection{Ours: c.Ours, Theirs: c.Theirs, Incoming: c.Incoming, Since: c.Since, Waiting: c.Waiting}
		if c.Failure != nil {
			one.Failure = c.Failure.Error()
		}
		list = append(list, one)
	}
	return list
}

// remoteCounters returns the counters of the links to other servers, which count nothing if there are none.
func (s *Server) remoteCounters() *s2s.Counters {
	if s.remote == nil {
		return &s2s.Counters{}
	}
	return &s.remote.Counters
}
