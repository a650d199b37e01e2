package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/identity"
	"github.com/dragoman-im/dragoman/core/sasl"
)

// maxAnswers is the maximum number of answers about tokens that are used again.
const maxAnswers = 10_000

// endpoint is where a provider is asked about tokens.
type endpoint struct {
	address string
	inBody  bool // the provider wants the credentials in the body (client_secret_post)
}

// answers are what the provider has said about tokens, for a short time. Tokens are not kept: the key is a hash.
type answers struct {
	asks singleflight.Group

	mu   sync.Mutex
	list map[[sha256.Size]byte]answer
}

type answer struct {
	person identity.Person
	err    error // that wraps sasl.ErrRefused, or nil
	until  time.Time
}

func (a *answers) find(key [sha256.Size]byte, now time.Time) (answer, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	found, ok := a.list[key]
	return found, ok && now.Before(found.until)
}

func (a *answers) add(key [sha256.Size]byte, new answer, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.list) >= maxAnswers {
		for k, old := range a.list {
			if !now.Before(old.until) {
				delete(a.list, k)
			}
		}
	}
	if len(a.list) >= maxAnswers || a.list == nil {
		a.list = map[[sha256.Size]byte]answer{}
	}
	a.list[key] = new
}

// introspects reports whether the provider is asked about a token.
func (p *Provider) introspects(signed bool) bool {
	return p.settings.Client != "" && (!signed || p.settings.Introspect == config.IntrospectAll)
}

// introspect asks the provider about a token (RFC 7662), or uses its last answer. Logins with the same token at the same time cause one question.
func (p *Provider) introspect(ctx context.Context, token string) (identity.Person, error) {
	key := sha256.Sum256([]byte(token))
	if known, ok := p.answers.find(key, p.fetcher.now()); ok {
		return known.person, known.err
	}
	m, err := p.metadata(ctx)
	if err != nil {
		return identity.Person{}, err
	}
	if m.introspection.address == "" {
		return identity.Person{}, errors.New("the provider's metadata has no introspection_endpoint: it cannot be asked about tokens")
	}
	asked := p.answers.asks.DoChan(string(key[:]), func() (any, error) {
		now := p.fetcher.now() // before the question: what is revoked meanwhile is not used for longer
		text, err := p.ask(m.introspection, token)
		if err != nil {
			return nil, err
		}
		person, end, err := p.reader.Introspected(text)
		if err != nil && !errors.Is(err, sasl.ErrRefused) {
			return nil, err
		}
		a := answer{person, err, now.Add(time.Duration(p.settings.Cache))}
		if !end.IsZero() && end.Before(a.until) { // RFC 7662 §4: never beyond it
			a.until = end
		}
		p.answers.add(key, a, now)
		return a, nil
	})
	select {
	case <-ctx.Done():
		return identity.Person{}, fmt.Errorf("ask the provider about a token: %w", ctx.Err())
	case result := <-asked:
		if result.Err != nil {
			return identity.Person{}, fmt.Errorf("ask the provider about a token: %w", result.Err)
		}
		a := result.Val.(answer)
		return a.person, a.err
	}
}

// ask sends a question. It has a time limit, and ends with Close.
func (p *Provider) ask(to endpoint, token string) ([]byte, error) {
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	if to.inBody {
		form.Set("client_id", p.settings.Client)
		form.Set("client_secret", p.settings.Introspection.Secret)
	}
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, to.address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	if !to.inBody { // RFC 6749 §2.3.1
		request.SetBasicAuth(url.QueryEscape(p.settings.Client), url.QueryEscape(p.settings.Introspection.Secret))
	}
	response, err := p.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body) // the fetcher limits it
}

// recheck returns what asks again about the token of a session of a person.
func (p *Provider) recheck(token string, was identity.Person) *sasl.Recheck {
	return &sasl.Recheck{Every: time.Duration(p.settings.Recheck), Check: func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, time.Duration(p.settings.Timeout))
		defer cancel()
		now, err := p.introspect(ctx, token)
		if err == nil && now.Subject != was.Subject {
			err = fmt.Errorf("token: of another subject: %w", sasl.ErrRefused)
		}
		return err
	}}
}

// endpointOf reads where the provider is asked from its metadata (RFC 8414 §2).
func endpointOf(document json.RawMessage) (endpoint, error) {
	var d struct {
		Address string   `json:"introspection_endpoint"`
		Methods []string `json:"introspection_endpoint_auth_methods_supported"`
	}
	if err := json.Unmarshal(document, &d); err != nil {
		return endpoint{}, err
	}
	if d.Address == "" {
		return endpoint{}, nil
	}
	if err := config.CheckBaseURL(d.Address); err != nil {
		return endpoint{}, fmt.Errorf("introspection_endpoint: %w", err)
	}
	return endpoint{d.Address, slices.Contains(d.Methods, "client_secret_post") && !slices.Contains(d.Methods, "client_secret_basic")}, nil
}
