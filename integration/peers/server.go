package peers

import (
	"context"
	"crypto/tls"
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/integration/client"
)

// Account is a user of a server under test.
type Account struct {
	User, Password string
	Only           string // mechanism of SCRAM whose keys are all that the server has of the password; empty: it has all
}

// Component is a domain that another program serves (XEP-0114).
type Component struct {
	Domain, Secret string
	Privileged     bool   // XEP-0356: may manage rosters and send messages of users
	Settings       string // further lines of its section, for dragoman
}

// Group is a shared group: its members, by localpart, are in each other's rosters.
type Group struct {
	Name    string
	Members []string
}

func (g Group) addresses(host string) []string {
	all := make([]string, len(g.Members))
	for i, m := range g.Members {
		all[i] = m + "@" + host
	}
	return all
}

func quoted(list []string) string {
	all := make([]string, len(list))
	for i, text := range list {
		all[i] = strconv.Quote(text)
	}
	return strings.Join(all, ", ")
}

// Setup is what a server is started with.
type Setup struct {
	Host       string // the served domain
	Accounts   []Account
	Components []Component
	Groups     []Group
	Conference bool   // on Prosody: rooms at conference.HOST, with the server's own defaults
	Rooms      string // domain of chat rooms with an archive, on Prosody; empty: none
	Anonymous  bool   // a second domain, "anon." and the first, on which logins are anonymous
	Admin      string // localpart of an account that may use admin commands
	Nodes      bool   // ejabberd: accounts have nodes (XEP-0163); the others always have them

	Federation *Federation // the server communicates with the others of it; nil: with none
	Dialback   bool        // it has signed its certificate itself, and servers prove who they are by dialback

	Certificate *Authority // that it shows; nil: one that is right
}

// componentDomains are the domains of the components.
func (s *Setup) componentDomains() []string {
	all := make([]string, len(s.Components))
	for i, c := range s.Components {
		all[i] = c.Domain
	}
	return all
}

// Server is an XMPP server that runs.
type Server struct {
	Host          string
	ClientAddr    string
	ComponentAddr string
	HTTPAddr      string // empty: it has none
	HTTPSAddr     string
	ServerAddr    string      // for other servers; empty: it has none
	TLS           *tls.Config // for clients
	CertFile      string      // for clients that read files
	Mechanism     string      // of SASL, by which Dial logs in; empty: the first one that both have
}

// Resume logs in an account and resumes a session of it (XEP-0198).
func (s *Server) Resume(ctx context.Context, account Account, session client.Resume) (*client.Conn, error) {
	return client.Dial(ctx, client.Login{
		Addr: s.ClientAddr, Domain: s.Host, User: account.User, Password: account.Password, TLS: s.TLS, Resume: &session,
	})
}

// Open opens a stream for a client that then logs in by itself.
func (s *Server) Open(ctx context.Context, account Account) (*client.Conn, error) {
	return client.Open(ctx, client.Login{Addr: s.ClientAddr, Domain: s.Host, User: account.User, TLS: s.TLS})
}

// Anonymous logs in a client without an account (XEP-0175), on the host for those.
func (s *Server) Anonymous(ctx context.Context) (*client.Conn, error) {
	return client.Dial(ctx, client.Login{Addr: s.ClientAddr, Domain: anonymousHost(s.Host), TLS: s.TLS})
}

// OpenAnonymous is Open on the host for clients without an account.
func (s *Server) OpenAnonymous(ctx context.Context) (*client.Conn, error) {
	return client.Open(ctx, client.Login{Addr: s.ClientAddr, Domain: anonymousHost(s.Host), TLS: s.TLS})
}

// anonymousHost is the second domain of a server that has Setup.Anonymous.
func anonymousHost(host string) string { return "anon." + host }

// Dial logs in a scripted client.
func (s *Server) Dial(ctx context.Context, account Account, resource string) (*client.Conn, error) {
	return client.Dial(ctx, client.Login{
		Addr: s.ClientAddr, Domain: s.Host, User: account.User, Password: account.Password, Resource: resource, TLS: s.TLS, Mechanism: s.Mechanism,
	})
}
