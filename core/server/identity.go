package server

import (
	"time"

	"context"

	"github.com/dragoman-im/dragoman/core/identity"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
)

// newSASL returns the SASL server of a host, whose mechanisms depend on the back ends that check passwords and tokens.
func (s *Server) newSASL(h *host, secret []byte) (*sasl.Server, error) {
	c := sasl.Config{Host: h.domain, Accounts: h.accounts, Secret: secret, Iterations: s.config.Login.Iterations, Tries: s.config.Login.Tries, Fast: sasl.Fast{
		Clients: h.accounts, Life: time.Duration(s.config.Login.TokenLife), Refresh: time.Duration(s.config.Login.TokenRefresh),
	}, Keys: h.accounts}
	h.identity.Configure(&c)
	return sasl.NewServer(c)
}

// newIdentity returns what checks the passwords and tokens of a host.
func newIdentity(h *host, a assembly) *identity.Host {
	return identity.New(h.domain, identity.Options{
		Accounts: h.accounts, Own: true, Reserved: func(account jid.JID) bool { return a.reserved[account] }, Log: a.log,
	})
}

// foreign reports whether another back end than the store authenticates an account of the host.
func (h *host) foreign(ctx context.Context, account jid.JID) (bool, error) {
	return h.accounts.Foreign(ctx, account.Local())
}
