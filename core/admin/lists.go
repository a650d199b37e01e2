package admin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// MaxList is the maximum number of addresses in a list.
const MaxList = 2000

// ListName names a list of addresses that a host has.
type ListName string

// The lists. Their addresses are domains and bare addresses; domains of this server are never blocked.
const (
	Blacklist ListName = "blacklist" // nobody communicates with these
	Whitelist ListName = "whitelist" // if there are any, accounts communicate with these and with this server only
)

// ListStore keeps the lists of hosts.
type ListStore interface {
	Lists(ctx context.Context, host jid.JID) (map[ListName][]jid.JID, error)
	SetList(ctx context.Context, host jid.JID, name ListName, addresses []jid.JID) error
	AddToList(ctx context.Context, host jid.JID, name ListName, address jid.JID) error
}

// lists are the lists of the host in memory.
type lists struct {
	current atomic.Pointer[map[ListName]map[jid.JID]bool] // immutable; nil: all lists are empty
}

func newLists() *lists { return &lists{} }

func (s *Service) loadLists(ctx context.Context) error {
	read, err := s.Lists.Lists(ctx, s.Host.Domain())
	if err != nil {
		return fmt.Errorf("read lists: %w", err)
	}
	if len(read) == 0 {
		s.lists.current.Store(nil)
		return nil
	}
	current := map[ListName]map[jid.JID]bool{}
	for name, addresses := range read {
		current[name] = map[jid.JID]bool{}
		for _, address := range addresses {
			current[name][address] = true
		}
	}
	s.lists.current.Store(&current)
	return nil
}

// AddressList returns the addresses of a list.
func (s *Service) AddressList(a Actor, name ListName) ([]jid.JID, error) {
	if err := a.may(EditLists); err != nil {
		return nil, err
	}
	var list []jid.JID
	if current := s.lists.current.Load(); current != nil {
		for address := range (*current)[name] {
			list = append(list, address)
		}
	}
	slices.SortFunc(list, func(a, b jid.JID) int { return cmp.Compare(a.String(), b.String()) })
	return list, nil
}

// SetAddressList replaces a list.
func (s *Service) SetAddressList(ctx context.Context, a Actor, name ListName, addresses []jid.JID) error {
	err := a.may(EditLists)
	if err == nil && len(addresses) > MaxList {
		err = stanza.NotAcceptable(fmt.Sprintf("The list has more than %d addresses.", MaxList))
	}
	for i := range addresses {
		if err == nil && (addresses[i].IsZero() || s.Host.Router().Serves(addresses[i])) {
			err = &AccountError{addresses[i], ErrOwnAddress}
		}
	}
	if err == nil {
		err = s.Lists.SetList(ctx, s.Host.Domain(), name, addresses)
	}
	s.audit(ctx, a, "edit "+string(name), err, "addresses", len(addresses))
	if err != nil {
		return err
	}
	return s.loadLists(ctx)
}

// Block adds an address to the Blacklist.
func (s *Service) Block(ctx context.Context, a Actor, address jid.JID) error {
	list, err := s.AddressList(a, Blacklist)
	switch {
	case err == nil && len(list) >= MaxList && !slices.Contains(list, address):
		err = stanza.NotAcceptable(fmt.Sprintf("The list has %d addresses already.", MaxList))
	case err == nil && (address.IsZero() || s.Host.Router().Serves(address)):
		err = &AccountError{address, ErrOwnAddress}
	case err == nil:
		err = s.Lists.AddToList(ctx, s.Host.Domain(), Blacklist, address)
	}
	s.audit(ctx, a, "block "+address.String(), err)
	if err != nil {
		return err
	}
	return s.loadLists(ctx)
}

// Communicates reports whether accounts of the host may communicate with an address. Without lists it costs nothing.
func (s *Service) Communicates(with jid.JID) bool {
	current := s.lists.current.Load()
	if current == nil || with.IsZero() || s.Host.Router().Serves(with) {
		return true
	}
	bare, domain := with.Bare(), with.Host()
	if black := (*current)[Blacklist]; black[bare] || black[domain] {
		return false
	}
	white := (*current)[Whitelist]
	return len(white) == 0 || white[bare] || white[domain]
}
