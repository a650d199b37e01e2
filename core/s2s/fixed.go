package s2s

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
)

// FixedAddress is where the server of a domain is.
type FixedAddress struct {
	Address   string // host:port
	DirectTLS bool
}

// Fixed is a Dialer for domains whose servers are named; it asks others about all other domains.
type Fixed struct {
	others Dialer
	table  atomic.Pointer[map[string]FixedAddress]
}

// NewFixed returns a Fixed without addresses.
func NewFixed(others Dialer) *Fixed { return &Fixed{others: others} }

// Set replaces the addresses, by domain.
func (f *Fixed) Set(table map[string]FixedAddress) { f.table.Store(&table) }

// Dial implements Dialer.
func (f *Fixed) Dial(ctx context.Context, domain string) (*Target, error) {
	table := f.table.Load()
	if table == nil {
		return f.others.Dial(ctx, domain)
	}
	at, ok := (*table)[domain]
	if !ok {
		return f.others.Dial(ctx, domain)
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", at.Address)
	if err != nil {
		return nil, fmt.Errorf("connect to the server of %s: %w", domain, err)
	}
	return &Target{Conn: c, DirectTLS: at.DirectTLS, Address: at.Address}, nil
}
