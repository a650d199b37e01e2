package federation

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/s2s"
	"github.com/dragoman-im/dragoman/core/s2s/certificate"
)

// FixedAddress is where the server of a domain is.
type FixedAddress struct {
	Address   string // host:port
	DirectTLS bool
}

// Fixed is an s2s.Dialer for domains whose servers are named; it asks others about all other domains.
type Fixed struct {
	others s2s.Dialer
	table  atomic.Pointer[map[string]FixedAddress]
}

// NewFixed returns a Fixed without addresses.
func NewFixed(others s2s.Dialer) *Fixed { return &Fixed{others: others} }

// Set replaces the addresses, by domain.
func (f *Fixed) Set(table map[string]FixedAddress) { f.table.Store(&table) }

// find returns the address of a domain; false if it has none.
func (f *Fixed) find(domain string) (at FixedAddress, ok bool) {
	if table := f.table.Load(); table != nil {
		at, ok = (*table)[domain]
	}
	return at, ok
}

// Servers returns a function for s2s.Config that asks others about domains whose servers are not named: connecting to the others asks nobody.
func (f *Fixed) Servers(others func(string) (certificate.Evidence, error)) func(string) (certificate.Evidence, error) {
	return func(domain string) (certificate.Evidence, error) {
		if _, ok := f.find(domain); ok {
			return certificate.Evidence{}, nil
		}
		return others(domain)
	}
}

// Dial implements s2s.Dialer.
func (f *Fixed) Dial(ctx context.Context, domain string) (*s2s.Target, error) {
	at, ok := f.find(domain)
	if !ok {
		return f.others.Dial(ctx, domain)
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", at.Address)
	if err != nil {
		return nil, fmt.Errorf("connect to the server of %s: %w", domain, err)
	}
	return &s2s.Target{Conn: c, DirectTLS: at.DirectTLS, Address: at.Address}, nil
}
