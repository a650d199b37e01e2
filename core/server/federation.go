package server

import (
	"path/filepath"

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
		h.admin.Links = s.remote.Links()
	}
	return nil
}
