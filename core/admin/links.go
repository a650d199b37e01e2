package admin

import (
	"context"
	"slices"
	"strings"
	"time"
)

// MaxConnections is the length of the list of connections with other servers.
const MaxConnections = 1000

// Connection is a connection with another server, or why there is none.
type Connection struct {
	Ours, Theirs string
	Incoming     bool
	Both         bool      // it is used in both directions
	Since        time.Time // zero: there is none at the moment
	Waiting      int       // stanzas that wait until it is made
	Failure      string    // of the last attempt
}

// LinkKeeper has the connections with other servers.
type LinkKeeper interface {
	// Connections returns at most max of them.
	Connections(max int) []Connection
	// Disconnect closes those with a domain, without waiting, and returns their number. Further stanzas make new ones.
	Disconnect(domain string) int
}

// Connections returns the connections with other servers, sorted by their domains.
func (s *Service) Connections(ctx context.Context, a Actor) ([]Connection, error) {
	err := a.may(ControlServer)
	s.audit(ctx, a, "list connections with other servers", err)
	if err != nil {
		return nil, err
	}
	list := s.Links.Connections(MaxConnections)
	slices.SortFunc(list, func(a, b Connection) int {
		if c := strings.Compare(a.Theirs, b.Theirs); c != 0 {
			return c
		}
		return strings.Compare(a.Ours, b.Ours)
	})
	return list, nil
}

// Disconnect closes the connections with the servers of a domain, and returns their number.
func (s *Service) Disconnect(ctx context.Context, a Actor, domain string) (int, error) {
	err := a.may(ControlServer)
	s.audit(ctx, a, "close connections with another server", err, "domain", domain)
	if err != nil {
		return 0, err
	}
	return s.Links.Disconnect(domain), nil
}
