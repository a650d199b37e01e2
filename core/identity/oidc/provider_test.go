package oidc

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/identity/identitytest"
	"github.com/dragoman-im/dragoman/core/sasl"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func settings(p *identitytest.Provider) config.OIDC {
	return config.OIDC{
		Backend: config.Backend{Timeout: config.Duration(20 * time.Second)},
		Claims:  config.Claims{Issuer: p.Issuer, Audiences: []string{identitytest.ClientID}, Claim: "preferred_username"}, CA: p.Authority.File,
	}
}

func open(t *testing.T, c config.OIDC) *Provider {
	t.Helper()
	p, err := New(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// later moves the clock of the limits, not that of the tokens.
func (p *Provider) later(d time.Duration) {
	now := p.fetcher.now
	p.fetcher.now = func() time.Time { return now().Add(d) }
}

func TestTokens(t *testing.T) {
	t.Parallel()
	server := identitytest.StartProvider(t, identitytest.User{ID: "4711", Name: "ann", Password: "pencil"})
	c := settings(server)
	c.End = true
	p := open(t, c)
	if got := p.Discovery().Configuration; got != server.Issuer+"/.well-known/openid-configuration" {
		t.Error(got)
	}
	tokens, err := server.Login(t.Context(), p.Discovery().Configuration, "ann", "pencil")
	if err != nil {
		t.Fatal(err)
	}
	for kind, token := range map[string]string{"access": tokens.Access, "id": tokens.ID} {
		person, err := p.CheckToken(t.Context(), token)
		if err != nil || person.Name != "ann" || person.Subject != server.Issuer+" 4711" || !person.Expires.After(time.Now()) {
			t.Errorf("%s: %+v %v", kind, person, err)
		}
	}
	if n := server.Requests.Load(); n > 4 { // one of them by the client
		t.Errorf("%d requests: metadata or keys are not kept", n)
	}
	for _, wrong := range []string{tokens.Access + "x", tokens.Access[:len(tokens.Access)-4], "", "opaque", "a.b.c", strings.Repeat("A", maxToken+1)} {
		if _, err := p.CheckToken(t.Context(), wrong); !errors.Is(err, sasl.ErrRefused) {
			t.Errorf("%.20s: %v", wrong, err)
		}
	}
	c.Audiences = []string{"mail"}
	if _, err := open(t, c).CheckToken(t.Context(), tokens.Access); !errors.Is(err, sasl.ErrRefused) {
		t.Error("a token for another service", err)
	}
	c = settings(server)
	c.Scope = "xmpp:client:normal"
	if _, err := open(t, c).CheckToken(t.Context(), tokens.Access); !errors.Is(err, sasl.ErrScope) {
		t.Error("a token without the scope", err)
	}
	other := identitytest.StartProvider(t, identitytest.User{ID: "4711", Name: "ann", Password: "pencil"})
	foreign, err := other.Login(t.Context(), other.Issuer+"/.well-known/openid-configuration", "ann", "pencil")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.CheckToken(t.Context(), foreign.Access); !errors.Is(err, sasl.ErrRefused) {
		t.Error("a token of another provider", err)
	}
}

// What the provider signs for other purposes is no token for a login.
func TestHostileTokens(t *testing.T) {
	t.Parallel()
	server := identitytest.StartProvider(t)
	p := open(t, settings(server))
	sign := func(header, changes map[string]any) string {
		claims := map[string]any{
			"iss": server.Issuer, "sub": "1", "aud": identitytest.ClientID, "exp": time.Now().Add(time.Hour).Unix(), "preferred_username": "ann",
		}
		maps.Copy(claims, changes)
		return server.Sign(header, claims)
	}
	if _, err := p.CheckToken(t.Context(), sign(nil, nil)); err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"expired":         sign(nil, map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}),
		"not yet valid":   sign(nil, map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}),
		"logout token":    sign(map[string]any{"typ": "logout+jwt"}, nil),
		"logout event":    sign(nil, map[string]any{"events": map[string]any{}}),
		"bound":           sign(nil, map[string]any{"cnf": map[string]any{"jkt": "x"}}),
		"without sub":     sign(nil, map[string]any{"sub": ""}),
		"without a name":  sign(nil, map[string]any{"preferred_username": ""}),
		"other issuer":    sign(nil, map[string]any{"iss": "https://evil.example"}),
		"other audience":  sign(nil, map[string]any{"aud": []string{"a", "b"}}),
		"claims no texts": sign(nil, map[string]any{"preferred_username": []string{"ann"}}),
	} {
		if person, err := p.CheckToken(t.Context(), token); !errors.Is(err, sasl.ErrRefused) {
			t.Errorf("%s: %+v %v", name, person, err)
		}
	}
}

// The provider replaces its keys: tokens of the new one are accepted, those of the old one not. Made-up tokens do not make us ask it
// again and again.
func TestKeysRotate(t *testing.T) {
	t.Parallel()
	server := identitytest.StartProvider(t, identitytest.User{ID: "1", Name: "ann", Password: "pencil"})
	p := open(t, settings(server))
	login := func() string {
		t.Helper()
		tokens, err := server.Login(t.Context(), server.Issuer+"/.well-known/openid-configuration", "ann", "pencil")
		if err != nil {
			t.Fatal(err)
		}
		return tokens.Access
	}
	before := login()
	if _, err := p.CheckToken(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	server.Rotate()
	after := login()
	asked := server.Requests.Load()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := p.CheckToken(t.Context(), before[:strings.LastIndex(before, ".")]+".AAAA"); !errors.Is(err, sasl.ErrRefused) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := server.Requests.Load() - asked; n > 1 {
		t.Errorf("%d requests", n)
	}
	p.later(fetchEvery)
	if _, err := p.CheckToken(t.Context(), after); err != nil {
		t.Error(err)
	}
	if _, err := p.CheckToken(t.Context(), before); !errors.Is(err, sasl.ErrRefused) {
		t.Error("the old key is still accepted", err)
	}
}

// A provider that is down at the start, and later: no token is refused for it.
func TestProviderDown(t *testing.T) {
	t.Parallel()
	server := identitytest.StartProvider(t, identitytest.User{ID: "1", Name: "ann", Password: "pencil"})
	tokens, err := server.Login(t.Context(), server.Issuer+"/.well-known/openid-configuration", "ann", "pencil")
	if err != nil {
		t.Fatal(err)
	}
	server.Down.Store(true)
	p := open(t, settings(server))
	if _, err := p.CheckToken(t.Context(), tokens.Access); err == nil || errors.Is(err, sasl.ErrRefused) {
		t.Error(err)
	}
	server.Down.Store(false)
	p.later(fetchEvery)
	if _, err := p.CheckToken(t.Context(), tokens.Access); err != nil {
		t.Error(err)
	}
	server.Down.Store(true)
	p.later(discoverEvery)
	if _, err := p.CheckToken(t.Context(), tokens.Access); err != nil {
		t.Error("what is known is not used", err)
	}
}

func TestHostileProvider(t *testing.T) {
	t.Parallel()
	token := identitytest.StartProvider(t).Sign(nil, map[string]any{"sub": "1"})
	for name, answer := range map[string]http.HandlerFunc{
		"other issuer": func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(`{"issuer":"https://evil.example","jwks_uri":"https://evil.example/keys"}`))
		},
		"keys elsewhere": func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(`{"issuer":"http://` + r.Host + `","jwks_uri":"http://10.0.0.1/keys"}`))
		},
		"a file": func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(`{"issuer":"http://` + r.Host + `","jwks_uri":"file:///etc/passwd"}`))
		},
		"endless": func(w http.ResponseWriter, r *http.Request) {
			for range 2 * maxDocument >> 10 {
				_, _ = w.Write(make([]byte, 1<<10))
			}
		},
		"redirection": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"nonsense":    func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("<html>")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(answer)
			t.Cleanup(s.Close)
			p := open(t, config.OIDC{Backend: config.Backend{Timeout: config.Duration(20 * time.Second)}, Claims: config.Claims{Issuer: s.URL, Audiences: []string{"x"}, Claim: "sub"}})
			if _, err := p.CheckToken(t.Context(), token); err == nil || errors.Is(err, sasl.ErrRefused) {
				t.Error(err)
			}
		})
	}
}

// While the provider does not answer, logins go on with what is known of it: none waits for the read that it begins.
func TestProviderHangs(t *testing.T) {
	t.Parallel()
	server := identitytest.StartProvider(t)
	c := settings(server)
	c.Timeout = config.Duration(10 * time.Minute)
	p := open(t, c)
	token := server.Sign(nil, map[string]any{
		"iss": server.Issuer, "sub": "1", "aud": identitytest.ClientID, "exp": time.Now().Add(time.Hour).Unix(), "preferred_username": "ann",
	})
	if _, err := p.CheckToken(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	p.fetcher.next.CloseIdleConnections()
	begun := make(chan struct{}, 1)
	p.fetcher.next.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		select {
		case begun <- struct{}{}:
		default:
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	p.later(discoverEvery)
	for range 3 {
		if _, err := p.CheckToken(t.Context(), token); err != nil {
			t.Error(err)
		}
	}
	<-begun // or the test would show nothing
}

// A provider that does not answer holds a login up for as long as is configured.
func TestSlowProvider(t *testing.T) {
	t.Parallel()
	token := identitytest.StartProvider(t).Sign(nil, map[string]any{"sub": "1"})
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(release) })
	p := open(t, config.OIDC{Backend: config.Backend{Timeout: config.Duration(100 * time.Millisecond)}, Claims: config.Claims{Issuer: s.URL, Audiences: []string{"x"}, Claim: "sub"}})
	if _, err := p.CheckToken(t.Context(), token); err == nil || errors.Is(err, sasl.ErrRefused) {
		t.Error(err)
	}
}
