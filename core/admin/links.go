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

// LinkStatistics are the numbers of connections with other servers.
type LinkStatistics struct {
	Domains                   int // of other servers, that are connected
	In, Out, Both             int // connections that those servers have opened, that this one has, and those used in both directions
	Connecting, Failing       int // pairs of domains for which a connection is being made, or could not be made
	Waiting                   int // stanzas that wait for a connection
	WaitingBytes, QueuedBytes int64
	Resumable                 int // streams that were cut and can be resumed
}

// LinkKeeper has the connections with other servers.
type LinkKeeper interface {
	// Connections returns at most max of them.
	Connections(max int) []Connection
	// LinkStatistics counts them.
	LinkStatistics() LinkStatistics
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

// LinkStatistics counts the connections with other servers.
func (s *Service) LinkStatistics(ctx context.Context, a Actor) (LinkStatistics, error) {
	err := a.may(ControlServer)
	s.audit(ctx, a, "count connections with other servers", err)
	if err != nil {
		return LinkStatistics{}, err
	}
	return s.Links.LinkStatistics(), nil
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
