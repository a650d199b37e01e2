package federation

import (
	"context"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/s2s"
	"github.com/dragoman-im/dragoman/core/s2s/locate"
)

// Federation has the links to other servers, and finds the servers.
type Federation struct {
	*s2s.Server
	fixed   *Fixed
	locator *locate.Locator
}

// New returns the links to other servers. The settings of o that are in the configuration are taken from there.
func New(c config.Config, o s2s.Config) (*Federation, error) {
	var err error
	if o.Roots, err = roots(c.Federation.Roots); err != nil {
		return nil, err
	}
	if o.Revoked, err = revocations(c.Federation.CRL, o.Log); err != nil {
		return nil, err
	}
	if o.Policy, err = policy(c); err != nil {
		return nil, err
	}
	where, err := discovery(c, o)
	if err != nil {
		return nil, err
	}
	f := &Federation{locator: locate.New(where)}
	f.fixed = NewFixed(f.locator)
	if err = setFixed(f.fixed, c); err != nil {
		return nil, err
	}
	o.Limits, o.Dialer, o.Evidence, o.Servers = limits(c), f.fixed, f.locator.Evidence, f.fixed.Servers(f.locator.Servers)
	f.Server, err = s2s.NewServer(o)
	return f, err
}

// Shutdown is that of s2s.Server; it also waits for lookups that run.
func (f *Federation) Shutdown(ctx context.Context) {
	f.Server.Shutdown(ctx)
	f.locator.Close()
}

// Reload applies the settings of a configuration that a running server can change. After an error nothing is changed.
func (f *Federation) Reload(c config.Config) error {
	p, err := policy(c)
	if err != nil {
		return err
	}
	if err := setFixed(f.fixed, c); err != nil {
		return err
	}
	f.SetPolicy(p)
	f.SetLimits(limits(c))
	return nil
}

// Fix sets the addresses of the servers of domains, for tests. Reload replaces them.
func (f *Federation) Fix(table map[string]FixedAddress) { f.fixed.Set(table) }

// Counted returns the counters of limits. Those of a nil Federation count nothing.
func (f *Federation) Counted() []router.Counter {
	if f == nil {
		return (&s2s.Counters{}).Limits()
	}
	return f.Counters.Limits()
}
