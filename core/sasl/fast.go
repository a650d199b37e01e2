package sasl

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// NSFast is the namespace of XEP-0484.
const NSFast = "urn:xmpp:fast:0"

// Defaults of Fast.
const (
	DefaultTokenLife    = 30 * 24 * time.Hour
	DefaultTokenRefresh = 24 * time.Hour
)

// Fast configures logins with tokens (XEP-0484).
type Fast struct {
	Clients Clients          // nil: there are none
	Life    time.Duration    // how long a token is valid
	Foreign time.Duration    // how long after its last login by a back end a client of such an account has tokens; 0: it gets none
	Refresh time.Duration    // a token that is used so long after it was issued is replaced
	Now     func() time.Time // nil: time.Now
}

func (f *Fast) fill() {
	f.Life, f.Refresh = cmp.Or(f.Life, DefaultTokenLife), cmp.Or(f.Refresh, DefaultTokenRefresh)
	if f.Now == nil {
		f.Now = time.Now
	}
}

// ErrTokenGone is the error of Clients.Use for a token that is no longer valid, or whose count is not higher than the last one.
var ErrTokenGone = errors.New("the token is no longer valid")

// Token is a secret by which a client logs in again. What is stored is not secret: the text that the client has is computed from the
// seed and the server's secret. It cannot be stored as a hash, because the mechanism uses it as the key of an HMAC.
type Token struct {
	Mechanism       string // the only one that it is valid for
	Seed            []byte
	Issued, Expires time.Time
	Count           uint64 // of the client's logins with it, as the client counts them; 0: it does not
	Fresh           bool   // the client has not used it yet
	Backend         string // of the account; "": its keys are kept here
}

func (p *Proved) any() bool { return p.Seed != nil || p.StoredKey != nil || p.Backend != "" }

// Use is the use of a token in a login.
type Use struct {
	Token      Token
	Count      uint64
	Invalidate bool // the client asks for the token to be deleted
}

// Clients are the clients of a host's accounts, with their tokens. client is UserAgent.ID.
type Clients interface {
	// Tokens returns the tokens of a client, at most two: the fresh one and the one that it has used.
	Tokens(ctx context.Context, username, client string) ([]Token, error)
	// Use records the use of a token before the login succeeds: it is fresh no longer, and tokens that were issued before it are
	// deleted. ErrTokenGone means that the login is refused.
	Use(ctx context.Context, username, client string, u Use) error
	// Issue stores a fresh token in place of an earlier fresh one.
	// ErrTokenGone means that what the client has proved is not valid any more.
	Issue(ctx context.Context, username string, agent UserAgent, t Token, p Proved) error
}

// Proved is what a client has logged in with: the key of the password, a token, or what the account's back end has accepted.
type Proved struct {
	Hash      Hash
	StoredKey []byte
	Seed      []byte // of a token; nil: it was something else
	Backend   string // that has checked it; "": none
}

// fastUse is the <fast/> of a request.
type fastUse struct {
	asked, counted, invalidate bool
	count                      uint64
}

// parseFast reads the <fast/> of a request (XEP-0484 §3.4, §3.6).
func parseFast(e *stanza.Element) (fastUse, error) {
	x := e.Child(NSFast, "fast")
	if x == nil {
		return fastUse{}, nil
	}
	u := fastUse{asked: true}
	switch x.Attr("invalidate") {
	case "1", "true":
		u.invalidate = true
	case "", "0", "false":
	default:
		return u, fail(MalformedRequest, "invalidate is no boolean")
	}
	if text := x.Attr("count"); text != "" {
		n, err := strconv.ParseUint(text, 10, 31) // xs:int
		if err != nil || n == 0 {
			return u, fail(MalformedRequest, "count is no positive integer")
		}
		u.counted, u.count = true, n
	}
	return u, nil
}

// fastFeature announces FAST on a connection; nil if there is none.
func (s *Server) fastFeature(c Conn) *stanza.Element {
	names := s.FastMechanisms(c)
	if len(names) == 0 {
		return nil
	}
	f := stanza.NewElement(NSFast, "fast")
	for _, m := range names {
		f.Add(stanza.TextElement(NSFast, "mechanism", m))
	}
	return f
}

// beginFast starts an exchange with a token.
func (s *Server) beginFast(name string, c Conn, r *Request) (*Exchange, error) {
	if !slices.Contains(s.FastMechanisms(c), name) {
		return nil, fail(InvalidMechanism, "mechanism for tokens that was not offered")
	}
	return &Exchange{m: newHT(s, name, c, r)}, nil
}

// tokenText returns the text of a token.
func (s *Server) tokenText(username, client, mechanism string, seed []byte) string {
	return base64.RawURLEncoding.EncodeToString(s.derive("token", client+"\x00"+mechanism+"\x00"+string(seed), username, 32))
}

// Token returns the token that a client gets with its success, nil if it gets none: because it asks for one, or because the one that
// it has used was issued some time ago. A client whose proof expires or can be withdrawn gets none: it could log in for longer than with the proof. Tokens for
// the accounts of other back ends end Fast.Foreign after a login by that back end, however often they are replaced. The client must
// be authenticated completely.
func (s *Server) Token(ctx context.Context, c Conn, id Identity, r *Request) (*stanza.Element, error) {
	mechanism := ""
	if id.token != nil && !r.use.invalidate && s.cfg.Fast.Now().Sub(id.token.Issued) >= s.cfg.Fast.Refresh {
		mechanism = id.token.Mechanism
	}
	if asked := r.Element.Child(NSFast, "request-token"); asked != nil {
		mechanism = asked.Attr("mechanism")
	}
	if !slices.Contains(s.FastMechanisms(c), mechanism) || r.Agent.ID == "" || !id.Expires.IsZero() || id.Recheck != nil || !id.proved.any() {
		return nil, nil
	}
	now := s.cfg.Fast.Now().Truncate(time.Second)
	expires := s.cfg.Fast.expiry(now, id)
	if !now.Before(expires) {
		return nil, nil
	}
	t := Token{Mechanism: mechanism, Seed: newSeed(), Issued: now, Expires: expires, Fresh: true}
	if err := s.cfg.Fast.Clients.Issue(ctx, id.JID.Local(), r.Agent, t, id.proved); err != nil {
		return nil, fmt.Errorf("issue a token to %s: %w", id.JID, err)
	}
	text := s.tokenText(id.JID.Local(), r.Agent.ID, mechanism, t.Seed)
	return stanza.NewElement(NSFast, "token").With("expiry", t.Expires.UTC().Format(time.RFC3339)).With("token", text), nil
}

// expiry returns when a token ends that is issued now.
func (f *Fast) expiry(now time.Time, id Identity) time.Time {
	if id.Backend == "" {
		return now.Add(f.Life)
	}
	at := now.Add(min(f.Foreign, f.Life))
	if id.token != nil && id.token.Expires.Before(at) {
		at = id.token.Expires
	}
	return at
}

// Owners knows whose accounts of other back ends are.
type Owners interface {
	// StillKnown returns ErrRefused if the back end does not know the person any more to whom an account belongs, and nil where it cannot be
	// asked. Other errors mean that it does not answer.
	StillKnown(ctx context.Context, username, backend string) error
}

// askOwner checks a token for an account of another back end, and deletes it if the person has no account there any more.
func (m *ht) askOwner(ctx context.Context, t Token) error {
	cfg := &m.server.cfg
	if cfg.Fast.Foreign <= 0 || cfg.Owners == nil {
		return fail(NotAuthorized, "a token for the account of another back end, which is switched off")
	}
	if cfg.Fast.Now().Sub(t.Issued) >= cfg.Fast.Foreign {
		return fail(CredentialsExpired, "the token is older than the settings allow now")
	}
	err := cfg.Owners.StillKnown(ctx, m.username, t.Backend)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, ErrRefused):
		return &Failure{Condition: TemporaryAuthFailure, Cause: fmt.Errorf("%w: %w", ErrUnavailable, err)}
	}
	gone := cfg.Fast.Clients.Use(ctx, m.username, m.request.Agent.ID, Use{Token: t, Count: t.Count, Invalidate: true})
	if errors.Is(gone, ErrTokenGone) {
		gone = nil
	}
	return &Failure{Condition: NotAuthorized, Cause: errors.Join(err, gone)}
}
