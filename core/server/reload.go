package server

import (
	"crypto/tls"
	"fmt"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/accounts"
	"github.com/dragoman-im/dragoman/core/database"
	"github.com/dragoman-im/dragoman/core/features/abuse"
	"github.com/dragoman-im/dragoman/core/features/privilege"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/socket"
)

// reloadable are the settings that Reload replaces, besides the limits.
type reloadable struct {
	certificates atomic.Pointer[socket.Certificates]
	groups       atomic.Pointer[[]config.Group]
	lists        *abuse.Lists // of strangers
	inForce      sharedGroups
	keep         atomic.Pointer[accounts.Retention] // server.archive and retention
	kept         chan struct{}                      // wakes prune after a change of keep
	expired      expired
	archiveQuota archiveQuota
	clientsKept  atomic.Int64 // login.clients_kept
}

func (r *reloadable) certificate(name string) (*tls.Certificate, error) {
	return (*r.certificates.Load())(name)
}

// Reload applies the settings of a configuration that a running server can change: certificates, limits and
// the time that archives are kept. Streams that have begun keep their certificate and the limits of their size and
// speed. After an error nothing is changed.
func (s *Server) Reload(c config.Config) error {
	certificates, err := s.certificates(c)
	if err != nil {
		return err
	}
	if err := s.reloadable.lists.Read(c.Strangers.Lists...); err != nil {
		return fmt.Errorf("strangers.lists: %w", err)
	}
	if s.remote != nil {
		if err := s.remote.Reload(c); err != nil {
			return err
		}
	}
	s.reloadable.certificates.Store(&certificates)
	s.clients.SetLimits(clientLimits(c))
	s.components.SetLimits(componentLimits(c))
	s.store.SetLimits(database.Limits(c))
	for _, h := range s.anonymous {
		h.accounts.SetLimit(c.Limits.AnonymousSessions)
	}
	for _, h := range s.hosts {
		h.accounts.SetLimits(recordLimits(c))
		h.privileges.SetLimits(privilege.ConfiguredLimits(c.Limits))
		h.delegation.SetLimit(c.Limits.ComponentRequests)
		h.delegation.SetQuestionLimit(c.Limits.DelegationAsked)
		if h.conference != nil {
			h.conference.SetConfig(c.Rooms)
		}
	}
	s.reloadable.clientsKept.Store(int64(c.Login.ClientsKept))
	s.quota.SetLimits(registrationLimits(c.Limits))
	s.reloadable.groups.Store(&c.Groups)
	s.wakeRemovals(jid.JID{})
	s.reloadable.archiveQuota.set(c)
	s.http.web.SetLimits(WebLimits(c.Limits))
	s.http.pageRequests.SetLimit(c.Limits.InvitationPages)
	s.setUploadLimits(c.Upload)
	if k := accounts.NewRetention(c); !s.reloadable.keep.Swap(k).Equal(k) {
		select {
		case s.reloadable.kept <- struct{}{}:
		default:
		}
	}
	return nil
}
