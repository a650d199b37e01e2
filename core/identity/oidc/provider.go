package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/identity"
	"github.com/dragoman-im/dragoman/core/identity/claims"
	"github.com/dragoman-im/dragoman/core/sasl"
)

const (
	discoverEvery = time.Hour
	maxToken      = 64 << 10
)

// algorithms are those with a public key: a provider has no secret in common with this server.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}

// Provider is an identity.Tokens. Any goroutine may call its methods.
type Provider struct {
	settings config.OIDC
	reader   *claims.Reader
	fetcher  *fetcher
	client   *http.Client
	log      *slog.Logger
	reads    singleflight.Group
	answers  answers

	mu      sync.Mutex
	current *metadata // nil until it was read
}

// metadata is what the provider says about itself.
type metadata struct {
	keys    *oidc.RemoteKeySet
	address string // of the keys
	read    time.Time

	introspection endpoint // its address is "" if it has none
}

// New returns a provider. It does not connect.
func New(c config.OIDC, log *slog.Logger) (*Provider, error) {
	p := &Provider{settings: c, reader: claims.New(c.Claims), log: log}
	p.reader.Scope = c.Scope
	secure, err := identity.ClientTLS(c.CA, "")
	if err != nil {
		return nil, err
	}
	p.fetcher = newFetcher(&http.Transport{
		TLSClientConfig: secure, ForceAttemptHTTP2: true, DisableCompression: true, MaxResponseHeaderBytes: 64 << 10, MaxConnsPerHost: 4, IdleConnTimeout: time.Minute,
	})
	p.client = &http.Client{
		Timeout: time.Duration(c.Timeout), Transport: p.fetcher,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return p, nil
}

// Close ends all reads.
func (p *Provider) Close() error {
	p.fetcher.stop()
	return nil
}

// Discovery implements identity.Tokens.
func (p *Provider) Discovery() sasl.Discovery {
	return sasl.Discovery{Configuration: strings.TrimSuffix(p.settings.Issuer, "/") + "/.well-known/openid-configuration", Scope: p.settings.Scope}
}

// CheckToken implements identity.Tokens.
func (p *Provider) CheckToken(ctx context.Context, token string) (identity.Person, error) {
	refuse := func(format string, args ...any) (identity.Person, error) {
		return identity.Person{}, fmt.Errorf("token: "+format+": %w", append(args, sasl.ErrRefused)...)
	}
	if len(token) > maxToken {
		return refuse("too long")
	}
	t, err := jose.ParseSignedCompact(token, algorithms) // before anything is read for it; RFC 8725 §3.1
	signed := err == nil && len(t.Signatures) == 1
	asks := p.introspects(signed)
	if !signed && !asks {
		return refuse("not a JSON Web Token that is signed by a key of the provider")
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(p.settings.Timeout))
	defer cancel()
	var person identity.Person
	if signed {
		if person, err = p.verify(ctx, token, t); err != nil {
			return identity.Person{}, err
		}
	}
	if !asks {
		return person, nil
	}
	answered, err := p.introspect(ctx, token)
	switch {
	case err != nil:
		return identity.Person{}, err
	case !signed:
		person = answered
	case answered.Subject != person.Subject:
		return refuse("the provider says that it is of another subject")
	}
	person.Recheck = p.recheck(token, person)
	return person, nil
}

// verify checks a token that the provider has signed.
func (p *Provider) verify(ctx context.Context, token string, t *jose.JSONWebSignature) (identity.Person, error) {
	refuse := func(format string, args ...any) (identity.Person, error) {
		return identity.Person{}, fmt.Errorf("token: "+format+": %w", append(args, sasl.ErrRefused)...)
	}
	m, err := p.metadata(ctx)
	if err != nil {
		return identity.Person{}, err
	}
	keys := &recorder{keys: m.keys}
	checked, err := oidc.NewVerifier(p.settings.Issuer, keys, &oidc.Config{
		SkipClientIDCheck:    true, // the Reader compares the audience with several
		SkipExpiryCheck:      true, // the Reader does, and knows of clocks that differ
		SupportedSigningAlgs: names(algorithms),
	}).Verify(ctx, token)
	switch {
	case keys.failed != nil:
		return identity.Person{}, keys.failed
	case err != nil:
		return refuse("%v", err)
	}
	body := rawClaims{}
	if err := checked.Claims(&body); err != nil {
		return refuse("no claims")
	}
	kind, _ := t.Signatures[0].Protected.ExtraHeaders[jose.HeaderType].(string)
	return p.reader.Person(claims.Token{Type: kind, Claims: body.text})
}

// rawClaims are claims as they were signed.
type rawClaims struct{ text []byte }

// UnmarshalJSON implements json.Unmarshaler.
func (r *rawClaims) UnmarshalJSON(text []byte) error {
	r.text = append([]byte(nil), text...)
	return nil
}

// recorder is the keys for one token. It tells a wrong signature from keys that could not be read.
type recorder struct {
	keys   *oidc.RemoteKeySet
	failed error
}

// VerifySignature implements oidc.KeySet.
func (r *recorder) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	body, err := r.keys.VerifySignature(ctx, token)
	if _, ok := errors.AsType[*url.Error](err); ok || ctx.Err() != nil {
		r.failed = fmt.Errorf("read the keys of the provider: %w", errors.Join(err, ctx.Err()))
	}
	return body, err
}

// metadata returns the provider's metadata. After an hour it is read again, and until that has succeeded the old metadata is in use: no
// login waits for a provider that does not answer.
func (p *Provider) metadata(ctx context.Context) (*metadata, error) {
	p.mu.Lock()
	m := p.current
	p.mu.Unlock()
	if m != nil && p.fetcher.now().Sub(m.read) < discoverEvery {
		return m, nil
	}
	read := p.reads.DoChan("", func() (any, error) { return p.discover() })
	if m != nil {
		return m, nil
	}
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("read the metadata of the provider: %w", ctx.Err())
	case result := <-read:
		if result.Err == nil {
			return result.Val.(*metadata), nil
		}
		return nil, fmt.Errorf("read the metadata of the provider: %w", result.Err)
	}
}

// discover reads the metadata.
func (p *Provider) discover() (*metadata, error) {
	m, err := p.readMetadata()
	p.mu.Lock()
	old := p.current != nil
	p.mu.Unlock()
	if err != nil && old && p.fetcher.closed.Err() == nil {
		p.log.Warn("metadata of the OpenID Connect provider cannot be read, the old metadata stays in use", "issuer", p.settings.Issuer, "err", err)
	}
	return m, err
}

func (p *Provider) readMetadata() (*metadata, error) {
	ctx := oidc.ClientContext(context.Background(), p.client) // which has a time limit, and ends with Close
	found, err := oidc.NewProvider(ctx, p.settings.Issuer)
	if err != nil {
		return nil, err
	}
	var document struct {
		Keys string `json:"jwks_uri"`
	}
	var all json.RawMessage
	if err := errors.Join(found.Claims(&document), found.Claims(&all)); err != nil {
		return nil, err
	}
	asked, err := endpointOf(all)
	if err != nil {
		return nil, err
	}
	if err := config.CheckBaseURL(document.Keys); err != nil {
		return nil, fmt.Errorf("jwks_uri: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	keys := oidc.NewRemoteKeySet(ctx, document.Keys)
	if p.current != nil && p.current.address == document.Keys {
		keys = p.current.keys
	}
	p.current = &metadata{keys: keys, address: document.Keys, read: p.fetcher.now(), introspection: asked}
	return p.current, nil
}

func names(list []jose.SignatureAlgorithm) []string {
	var all []string
	for _, a := range list {
		all = append(all, string(a))
	}
	return all
}
