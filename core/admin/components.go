package admin

import "github.com/dragoman-im/dragoman/core/jid"

// Component is a component of others that may attach, with the addresses from which it is connected.
type Component struct {
	Domain      jid.JID
	Connections []string
}

// ListComponents returns all components of others, by domain.
func (s *Service) ListComponents(a Actor) ([]Component, error) {
	if err := a.may(SeeAccounts); err != nil || s.Components == nil {
		return nil, err
	}
	return s.Components(), nil
}
