package sasl

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Channel bindings that the server announces. It does not support tls-unique, which is not secure (RFC 9266 §1).
const (
	BindExporter = "tls-exporter"         // RFC 9266
	BindEndPoint = "tls-server-end-point" // RFC 5929 §4, required by XEP-0440
)

// Binding is a channel binding of a connection.
type Binding struct {
	Type string
	Data []byte
}

// ErrUnknownUser is the error of Accounts for a user who does not exist.
var ErrUnknownUser = errors.New("no such user")

// Accounts finds the credentials of a user of one host. username is a localpart in its
// canonical form.
type Accounts interface {
	Lookup(ctx context.Context, username string) (Credentials, error)
	// Shares returns the number of accounts for each shape of credentials. It is called for every
	// login and must not block; the numbers may be some minutes old.
	Shares(ctx context.Context) ([]Share, error)
}

// Config configures a Server.
type Config struct {
	Host     jid.JID
	Accounts Accounts // nil if only EXTERNAL is offered
	// Passwords checks passwords instead of the keys of Accounts; nil: only those are asked. A back end needs the password itself, so
	// PLAIN is offered without SCRAM: a client would choose SCRAM for an account that has no keys here.
	Passwords Passwords
	Tokens    Tokens // nil: no tokens
	Owners    Owners // nil: no account belongs to another back end
	// OnlyTokens: nobody has a password on this host.
	OnlyTokens bool
	// Secret is the key from which the salts of decoys are derived. It must be stored: a salt that changes
	// with a restart reveals that an account does not exist.
	Secret []byte
	// Iterations of new accounts, and of decoys while there are
	// no accounts.
	Iterations int
	// Mechanisms that may be offered; nil is all.
	Mechanisms []string
	Fast       Fast
	Keys       Keys // nil: accounts keep the keys that they have
	// Tries is how many exchanges may fail before the stream is closed; 0 is DefaultTries.
	Tries int
}

// minSecret is the length of a salt.
const minSecret = 16

// Server authenticates the users of one host.
type Server struct {
	cfg  Config
	macs sync.Pool // of HMACs with the secret
}

// NewServer checks the configuration and returns a Server.
func NewServer(cfg Config) (*Server, error) {
	if !cfg.Host.IsHost() {
		return nil, fmt.Errorf("sasl for %q: not a host", cfg.Host)
	}
	if cfg.Iterations == 0 {
		cfg.Iterations = DefaultIterations
	}
	if cfg.Tries == 0 {
		cfg.Tries = DefaultTries
	}
	cfg.Fast.fill()
	if cfg.Mechanisms == nil {
		cfg.Mechanisms = All()
	}
	for _, m := range cfg.Mechanisms {
		if !slices.Contains(All(), m) {
			return nil, fmt.Errorf("sasl for %s: unknown mechanism %q", cfg.Host, m)
		}
	}
	if cfg.Accounts == nil && (cfg.Passwords != nil || cfg.Tokens != nil) {
		return nil, fmt.Errorf("sasl for %s: back ends without accounts", cfg.Host)
	}
	if cfg.Accounts != nil && len(cfg.Secret) < minSecret {
		return nil, fmt.Errorf("sasl for %s: secret shorter than %d bytes", cfg.Host, minSecret)
	}
	s := &Server{cfg: cfg}
	s.macs.New = func() any { return hmac.New(sha256.New, cfg.Secret) }
	return s, nil
}

// Conn describes the connection of the peer.
type Conn struct {
	TLS      bool
	Bindings []Binding // of the TLS connection, the best first
	// External returns the identity that the peer's certificate proves; authzid is the one that the peer
	// requests, which may be empty. Nil without a certificate.
	External func(ctx context.Context, authzid string) (jid.JID, error)
	// Anonymous makes a new identity for a peer that proves none; nil: that is not possible.
	Anonymous func() (jid.JID, error)
	// Limiter, which may be nil, limits how often passwords are tried.
	Limiter Limiter
}

// Limiter limits how often passwords are tried.
type Limiter interface {
	// Begin is called before a password, or a proof of one, is checked. username is a localpart, in its canonical form if it has
	// one. Begin may block. An error, which is a *Failure, ends the exchange without a check.
	Begin(ctx context.Context, username string) (Attempt, error)
}

// Attempt is an attempt that a Limiter counts. After a wrong password no method is called.
type Attempt interface {
	Right()
	Cancel() // nothing was checked
}

// begin calls the Limiter.
func (c *Conn) begin(ctx context.Context, username string) (Attempt, error) {
	if c.Limiter == nil {
		return unlimited{}, nil
	}
	return c.Limiter.Begin(ctx, username)
}

// unlimited is an Attempt without a Limiter.
type unlimited struct{}

func (unlimited) Right()  {}
func (unlimited) Cancel() {}

// BindingTypes lists the channel bindings to announce beside the mechanisms (XEP-0440):
// none if no mechanism uses them.
func (s *Server) BindingTypes(c Conn) []string {
	if !slices.ContainsFunc(s.Mechanisms(c), func(m string) bool { return strings.HasSuffix(m, plus) }) {
		return nil
	}
	var out []string
	for _, b := range c.Bindings {
		out = append(out, b.Type)
	}
	return out
}

// Identity is the result of a successful authentication.
type Identity struct {
	JID       jid.JID // a bare address, a host for EXTERNAL between servers
	Mechanism string
	Binding   string // type of the channel binding, "" for none
	// Backend is the name of the back end that has checked a password or a token, "" for the keys of the account. An account of
	// a back end gets no keys here.
	Backend string
	Expires time.Time // when what was proved is not valid any more; zero: not known
	Recheck *Recheck  // whether it is; nil if it cannot be withdrawn
	// Revocation is that of the account's Credentials.
	Revocation int64
	proved     Proved
	token      *Token       // that was used
	shape      Shape        // of the account's keys
	missing    [hashes]bool // of which hashes the account has no key
}

// ByToken reports whether the client has used a token (XEP-0484).
func (id *Identity) ByToken() bool { return id.token != nil }

// Proved returns what the client has logged in with, the zero value if a back end or a certificate says so.
func (id *Identity) Proved() Proved { return id.proved }

// mechanism is one exchange of one mechanism. in is nil if the peer sent nothing at all.
type mechanism interface {
	step(ctx context.Context, in []byte) (out []byte, done bool, err error)
	identity() Identity
	claimed() string // the user name that the peer has sent, "" if none
}

// Exchange is one attempt to authenticate.
type Exchange struct {
	m    mechanism
	over bool
	done bool
}

// Begin starts an exchange. Its error is a *Failure: invalid-mechanism for one that was not
// offered on this connection, encryption-required for one that would be with TLS.
func (s *Server) Begin(name string, c Conn) (*Exchange, error) {
	if !slices.Contains(s.Mechanisms(c), name) {
		secure := c
		secure.TLS = true
		if !c.TLS && slices.Contains(s.Mechanisms(secure), name) {
			return nil, fail(EncryptionRequired, "mechanism without TLS")
		}
		return nil, fail(InvalidMechanism, "mechanism that was not offered")
	}
	for i := range kinds {
		if kinds[i].name == name {
			return &Exchange{m: kinds[i].begin(s, c)}, nil
		}
	}
	return nil, fail(InvalidMechanism, "unknown mechanism")
}

// Step handles the peer's next message: nil if its request contained none, empty
// if it sent an empty one. The caller sends out as a challenge or, if done, with the success;
// nil means without data. Every error is a *Failure and
// ends the exchange.
func (e *Exchange) Step(ctx context.Context, in []byte) (out []byte, done bool, err error) {
	if e.over {
		return nil, false, fail(MalformedRequest, "exchange is over")
	}
	out, done, err = e.m.step(ctx, in)
	if err != nil {
		e.over = true
		if _, ok := errors.AsType[*Failure](err); !ok {
			err = &Failure{Condition: TemporaryAuthFailure, Cause: err}
		}
		return nil, false, err
	}
	e.over, e.done = done, done
	return out, done, nil
}

// Identity returns the authenticated identity; false until the exchange has succeeded.
func (e *Exchange) Identity() (Identity, bool) {
	if !e.done {
		return Identity{}, false
	}
	return e.m.identity(), true
}

// Username returns the user name that the peer has sent in this exchange, whether or not it is one.
func (e *Exchange) Username() string { return e.m.claimed() }

// canonical returns a user name in the form that accounts have. A name that no account can have stays as it is.
func (s *Server) canonical(username string) string {
	if j, err := jid.New(username, s.cfg.Host.Domain(), ""); err == nil && j.Local() != "" {
		return j.Local()
	}
	return username
}

// account is an account or a decoy. An exchange treats both in the same way.
type account struct {
	jid   jid.JID // zero where there is no such user
	creds Credentials
	plain Hash // of the key that is checked
}

// anyHash lets account select the hash.
const anyHash = Hash(hashes)

// account looks a user up for a proof with the key of hash h; anyHash means the one
// that PLAIN is checked against. If there is no such user or key the result has a decoy key,
// with a salt that is always the same for that name. The decoy is made for every name,
// so that the time reveals nothing. Errors are those of the store.
func (s *Server) account(ctx context.Context, username string, h Hash) (account, error) {
	var a account
	j, err := jid.New(username, s.cfg.Host.Domain(), "")
	if err == nil && j.Local() != "" {
		username = j.Local()
		a.creds, err = s.cfg.Accounts.Lookup(ctx, username)
		if err != nil && !errors.Is(err, ErrUnknownUser) {
			return account{}, fmt.Errorf("look up %s: %w", j, err)
		}
		if err == nil {
			a.jid = j
		}
	}
	shares, err := s.cfg.Accounts.Shares(ctx)
	if err != nil {
		return account{}, fmt.Errorf("count the credentials of %s by shape: %w", s.cfg.Host, err)
	}
	shape, own := s.decoyShape(shares, username), a.creds.Shape()
	if a.jid.IsZero() {
		a.creds = Credentials{}
	} else {
		shape = own
	}
	if a.plain = h; h == anyHash {
		a.plain = shape.plain()
	}
	made := s.decoyKey(username, a.plain, shape)
	if k := &a.creds.Keys[a.plain]; !k.Set() || k.Valid(a.plain) != nil {
		*k = made
	}
	return a, nil
}

// checkAuthzid accepts the user's own address and the empty authzid (RFC 6120 §6.3.8).
func (s *Server) checkAuthzid(username, authzid string) error {
	if authzid == "" {
		return nil
	}
	as, err := jid.Parse(authzid)
	if err != nil {
		return fail(InvalidAuthzid, "authzid is no address")
	}
	is, err := jid.New(username, s.cfg.Host.Domain(), "")
	if err != nil || as != is {
		return fail(InvalidAuthzid, "authzid of somebody else")
	}
	return nil
}
