package sasl

import "slices"

// Names of mechanisms.
const (
	Plain           = "PLAIN"
	External        = "EXTERNAL"
	Anonymous       = "ANONYMOUS"
	OAuthBearer     = "OAUTHBEARER"
	ScramSHA1       = "SCRAM-SHA-1"
	ScramSHA1Plus   = "SCRAM-SHA-1-PLUS"
	ScramSHA256     = "SCRAM-SHA-256"
	ScramSHA256Plus = "SCRAM-SHA-256-PLUS"
	ScramSHA512     = "SCRAM-SHA-512"
	ScramSHA512Plus = "SCRAM-SHA-512-PLUS"
)

// kind is a mechanism as a Server offers it.
type kind struct {
	name   string
	usable func(s *Server, c *Conn) bool // on this connection
	begin  func(s *Server, c Conn) mechanism
}

// kinds are the mechanisms of this package, the best first. What is offered is what Begin accepts.
var kinds = []kind{
	{External, withCertificate, func(s *Server, c Conn) mechanism { return &external{server: s, verify: c.External} }},
	{OAuthBearer, withTokens, func(s *Server, c Conn) mechanism { return &oauthBearer{server: s, conn: c} }},
	{ScramSHA512Plus, withBinding, scramWith(ScramSHA512Plus)},
	{ScramSHA256Plus, withBinding, scramWith(ScramSHA256Plus)},
	{ScramSHA1Plus, withBinding, scramWith(ScramSHA1Plus)},
	{ScramSHA512, withKeys, scramWith(ScramSHA512)},
	{ScramSHA256, withKeys, scramWith(ScramSHA256)},
	{ScramSHA1, withKeys, scramWith(ScramSHA1)},
	{Plain, withPasswords, func(s *Server, c Conn) mechanism { return &plain{server: s, conn: c} }},
	{Anonymous, withoutAccount, func(_ *Server, c Conn) mechanism { return &anonymous{begin: c.Anonymous} }},
}

// All returns every mechanism of this package, the best first.
func All() []string {
	names := make([]string, len(kinds))
	for i := range kinds {
		names[i] = kinds[i].name
	}
	return names
}

func withCertificate(_ *Server, c *Conn) bool { return c.TLS && c.External != nil }

func withoutAccount(_ *Server, c *Conn) bool { return c.Anonymous != nil }

// withTokens is RFC 7628 §3.
func withTokens(s *Server, c *Conn) bool {
	return c.TLS && s.cfg.Accounts != nil && s.cfg.Tokens != nil
}

func withPasswords(s *Server, c *Conn) bool {
	return c.TLS && s.cfg.Accounts != nil && !s.cfg.OnlyTokens
}

// withKeys is for hosts whose accounts all have keys here.
func withKeys(s *Server, _ *Conn) bool {
	return s.cfg.Accounts != nil && !s.cfg.OnlyTokens && s.cfg.Passwords == nil
}

func withBinding(s *Server, c *Conn) bool { return c.TLS && len(c.Bindings) > 0 && withKeys(s, c) }

func scramWith(name string) func(*Server, Conn) mechanism {
	return func(s *Server, c Conn) mechanism { return newScram(s, name, c) }
}

// Mechanisms returns the mechanisms that the peer may use on this connection. RFC 6120 §6.3.3.
func (s *Server) Mechanisms(c Conn) []string {
	out := make([]string, 0, len(kinds))
	for i := range kinds {
		if slices.Contains(s.cfg.Mechanisms, kinds[i].name) && kinds[i].usable(s, &c) {
			out = append(out, kinds[i].name)
		}
	}
	return out
}
