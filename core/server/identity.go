package server

import (
	"time"

	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/c2s"
	"github.com/dragoman-im/dragoman/core/identity"
	"github.com/dragoman-im/dragoman/core/identity/httpcheck"
	"github.com/dragoman-im/dragoman/core/identity/jwt"
	"github.com/dragoman-im/dragoman/core/identity/ldap"
	"github.com/dragoman-im/dragoman/core/identity/oidc"
	"github.com/dragoman-im/dragoman/core/identity/revoked"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/sasl"
)

// backends are the configured back ends of passwords and tokens, by their names.
type backends struct {
	list    map[string]func(host jid.JID) identity.Backend
	closers []io.Closer
}

// open makes the back ends. None of them is connected to yet.
func (b *backends) open(c config.Config, log *slog.Logger) error {
	b.list = map[string]func(jid.JID) identity.Backend{}
	for i, l := range c.LDAP {
		d, err := ldap.New(l)
		if err != nil {
			return fmt.Errorf("ldap[%d]: %w", i, err)
		}
		b.closers = append(b.closers, d)
		b.list[l.Name] = func(jid.JID) identity.Backend {
			b := withFinder(identity.Backend{Name: l.Name, Passwords: d, Checker: d}, l.Find, d)
			if l.VCard != "" {
				b.Cards, b.PublicCards = d, l.VCardPublic
			}
			return b
		}
	}
	for i, h := range c.HTTPChecks {
		s, err := httpcheck.New(h)
		if err != nil {
			return fmt.Errorf("http_check[%d]: %w", i, err)
		}
		b.closers = append(b.closers, s)
		b.list[h.Name] = func(host jid.JID) identity.Backend {
			of := s.For(host.Domain())
			return withFinder(identity.Backend{Name: h.Name, Passwords: of}, h.Find, of)
		}
	}
	for i, j := range c.JWT {
		v, err := jwt.New(j, log)
		if err != nil {
			return fmt.Errorf("jwt[%d]: %w", i, err)
		}
		b.list[j.Name] = func(jid.JID) identity.Backend {
			return identity.Backend{Name: j.Name, Passwords: v, Tokens: v, Free: !j.Reserved}
		}
	}
	for i, o := range c.OIDC {
		p, err := oidc.New(o, log)
		if err != nil {
			return fmt.Errorf("oidc[%d]: %w", i, err)
		}
		b.closers = append(b.closers, p)
		b.list[o.Name] = func(jid.JID) identity.Backend { return identity.Backend{Name: o.Name, Tokens: p, Free: !o.Reserved} }
	}
	return nil
}

func withFinder(b identity.Backend, find bool, f identity.Finder) identity.Backend {
	if find {
		b.Finder, b.Checker = f, f
	}
	return b
}

func (b *backends) close() error {
	var err error
	for _, c := range b.closers {
		err = errors.Join(err, c.Close())
	}
	return err
}

// newSASL returns the SASL server of a host, whose mechanisms depend on the back ends that check passwords and tokens.
func (s *Server) newSASL(h *host, secret []byte) (*sasl.Server, error) {
	c := sasl.Config{Host: h.domain, Accounts: h.accounts, Secret: secret, Iterations: s.config.Login.Iterations, Tries: s.config.Login.Tries, Fast: sasl.Fast{
		Clients: h.accounts, Life: time.Duration(s.config.Login.TokenLife), Refresh: time.Duration(s.config.Login.TokenRefresh),
		Foreign: time.Duration(s.config.Login.ForeignTokens),
	}, Keys: h.accounts}
	h.identity.Configure(&c)
	return sasl.NewServer(c)
}

// newIdentity returns what checks the passwords and tokens of a host.
func newIdentity(h *host, a assembly) *identity.Host {
	o := identity.Options{
		Accounts: h.accounts, Reserved: func(account jid.JID) bool { return a.reserved[account] }, Log: a.log,
	}
	for _, name := range a.config.Backends(h.domain.Domain()) {
		if name == config.Own {
			o.Own = true
		} else {
			o.Backends = append(o.Backends, a.backends[name](h.domain))
		}
	}
	return identity.New(h.domain, o)
}

// knownAccounts is router.Accounts: the accounts of the store, and those of people whom a back end knows.
type knownAccounts struct {
	router.Accounts
	identity *identity.Host
}

// Exists makes the account of a person who has not logged in yet.
func (k knownAccounts) Exists(ctx context.Context, account jid.JID) (bool, error) {
	known, err := k.Accounts.Exists(ctx, account)
	if known || err != nil {
		return known, err
	}
	return k.identity.Find(ctx, account.Local())
}

// foreign reports whether another back end than the store authenticates an account of the host.
func (a assembly) foreign(ctx context.Context, account jid.JID) (bool, error) {
	return a.accounts.Foreign(ctx, account.Local())
}

// clientCertificates returns which certificates of clients are accepted.
func clientCertificates(c config.TLS, log *slog.Logger) (c2s.ClientCertificates, error) {
	if c.ClientCA == "" {
		return c2s.ClientCertificates{}, nil
	}
	roots, err := identity.ClientTLS(c.ClientCA, "")
	if err != nil {
		return c2s.ClientCertificates{}, fmt.Errorf("tls.client_ca: %w", err)
	}
	accepted := c2s.ClientCertificates{Roots: roots.RootCAs, Email: c.ClientEmail}
	if len(c.ClientCRL) > 0 {
		lists, err := revoked.New(revoked.Options{Files: c.ClientCRL, Open: c.ClientCRLOpen, Log: log})
		if err != nil {
			return c2s.ClientCertificates{}, fmt.Errorf("tls.client_crl: %w", err)
		}
		accepted.Revoked = lists.Check
	}
	return accepted, nil
}
