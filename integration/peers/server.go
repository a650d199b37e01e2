package peers

import (
	"context"
	"crypto/tls"

	"github.com/dragoman-im/dragoman/integration/client"
)

// Account is a user of a server under test.
type Account struct{ User, Password string }

// Component is a domain that another program serves (XEP-0114).
type Component struct {
	Domain, Secret string
	Privileged     bool // XEP-0356: may manage rosters and send messages of users
}

// Setup is what a server is started with.
type Setup struct {
	Host       string // the served domain
	Accounts   []Account
	Components []Component
	Rooms      string // domain of chat rooms with an archive, on Prosody; empty: none
	Admin      string // localpart of an account that may use admin commands, on Prosody
}

// Server is an XMPP server that runs.
type Server struct {
	Host          string
	ClientAddr    string
	ComponentAddr string
	TLS           *tls.Config // for clients
	CertFile      string      // for clients that read files
}

// Dial logs in a scripted client.
func (s *Server) Dial(ctx context.Context, account Account, resource string) (*client.Conn, error) {
	return client.Dial(ctx, client.Login{
		Addr: s.ClientAddr, Domain: s.Host, User: account.User, Password: account.Password, Resource: resource, TLS: s.TLS,
	})
}
