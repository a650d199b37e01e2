package server

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/s2s"
	"github.com/dragoman-im/dragoman/core/stream"
)

// dialbackKeyName is the file of the secret of dialback keys.
const dialbackKeyName = "dialback.key"

// federation are the links to other servers; remote is nil if there are none.
type federation struct {
	remote *s2s.Server
	fixed  *s2s.Fixed
}

// newFederation makes the server communicate with other servers, if the configuration wants that.
func (s *Server) newFederation() error {
	c := s.config
	if !c.Federates() {
		return nil
	}
	secret, err := loadOrCreateSecret(filepath.Join(c.Server.Data, dialbackKeyName))
	if err != nil {
		return err
	}
	roots, err := federationRoots(c.Federation.Roots)
	if err != nil {
		return err
	}
	policy, err := federationPolicy(c)
	if err != nil {
		return err
	}
	fixed := s2s.NewFixed(systemDialer{})
	if err = setFixed(fixed, c); err != nil {
		return err
	}
	remote, err := s2s.NewServer(s2s.Config{
		Router: s.router, Name: s.hosts[0].domain, Dialer: fixed, Certificates: s.reloadable.certificate, Roots: roots, Secret: secret,
		Policy: policy, Limits: federationLimits(c), Pace: s.store.Pace, Log: s.log,
	})
	if err != nil {
		return err
	}
	s.federation = federation{remote, fixed}
	s.router.SetRemote(remote)
	return nil
}

// reloadFederation applies the settings that a running server can change.
func (s *Server) reloadFederation(c config.Config) error {
	if s.remote == nil {
		return nil
	}
	policy, err := federationPolicy(c)
	if err != nil {
		return err
	}
	if err := setFixed(s.fixed, c); err != nil {
		return err
	}
	s.remote.SetPolicy(policy)
	s.remote.SetLimits(federationLimits(c))
	return nil
}

func federationRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("federation.roots: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("federation.roots: %s has no certificate in PEM form", file)
	}
	return pool, nil
}

func federationLimits(c config.Config) s2s.Limits {
	f, l := c.Federation, c.Limits
	return s2s.Limits{
		BeforeLogin: loginLimits(l),
		Stanza:      stream.Limits{Bytes: int(f.StanzaBytes), Elements: f.StanzaElements, Depth: l.StanzaDepth, Attrs: l.StanzaAttributes},
		Connections: unlimited(l.Connections), Arrivals: unlimited(l.NewConnections), Pending: unlimited(l.PendingConnections),
		Rate: unlimited(int(f.Rate)), Burst: int(f.Burst), Queue: int(f.Queue), Wait: time.Duration(f.Wait), Idle: time.Duration(f.Idle),
		WaitLimits: s2s.WaitLimits{Stanzas: f.WaitingStanzas, Bytes: int(f.WaitingBytes), Attempts: unlimited(f.Attempts)},
	}
}

// federationPolicy returns the rules of a configuration. Where a domain is both allowed and blocked it is blocked.
func federationPolicy(c config.Config) (s2s.Policy, error) {
	f := c.Federation
	usual := s2s.Rule{Plain: !f.TLS, Certificates: f.Certificate}
	p := s2s.Policy{Default: usual, Domains: map[string]s2s.Rule{}}
	p.Default.Refused = len(f.Allow) > 0
	for _, name := range f.Allow {
		d, err := jid.Parse(name)
		if err != nil {
			return p, fmt.Errorf("federation.allow: %w", err)
		}
		p.Domains[d.String()] = usual
	}
	for _, name := range f.Block {
		d, err := jid.Parse(name)
		if err != nil {
			return p, fmt.Errorf("federation.block: %w", err)
		}
		p.Domains[d.String()] = s2s.Rule{Refused: true}
	}
	for _, row := range c.Remotes {
		d, err := jid.Parse(row.Domain)
		if err != nil {
			return p, fmt.Errorf("federation_domain: %w", err)
		}
		p.Domains[d.String()] = s2s.Rule{Plain: row.Plain, Certificates: row.Certificate, Refused: p.Rule(d.String()).Refused}
	}
	return p, nil
}

// setFixed sets the addresses that the configuration names.
func setFixed(fixed *s2s.Fixed, c config.Config) error {
	table := map[string]s2s.FixedAddress{}
	for _, row := range c.Remotes {
		if row.Address == "" {
			continue
		}
		d, err := jid.Parse(row.Domain)
		if err != nil {
			return fmt.Errorf("federation_domain: %w", err)
		}
		table[d.String()] = s2s.FixedAddress{Address: row.Address, DirectTLS: row.DirectTLS}
	}
	fixed.Set(table)
	return nil
}

// systemDialer finds servers with the resolver of the system (RFC 6120 §3.2).
type systemDialer struct{}

func (systemDialer) Dial(ctx context.Context, domain string) (*s2s.Target, error) {
	type candidate struct{ host, port string }
	var list []candidate
	_, records, err := net.DefaultResolver.LookupSRV(ctx, "xmpp-server", "tcp", domain)
	if dns, ok := errors.AsType[*net.DNSError](err); ok && !dns.IsNotFound {
		return nil, fmt.Errorf("look up %s: %w", domain, err)
	}
	for _, r := range records {
		list = append(list, candidate{strings.TrimSuffix(r.Target, "."), strconv.Itoa(int(r.Port))})
	}
	if len(list) == 1 && list[0].host == "" {
		return nil, s2s.ErrNotFound // RFC 2782: not offered
	}
	if len(list) == 0 {
		list = append(list, candidate{domain, "5269"})
	}
	for _, c := range list {
		var conn net.Conn
		if conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(c.host, c.port)); err == nil {
			return &s2s.Target{Conn: conn, Address: net.JoinHostPort(c.host, c.port)}, nil
		}
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return nil, fmt.Errorf("%w: %w", s2s.ErrNotFound, err)
	}
	return nil, err
}
