package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/identity/identitytest"
	"github.com/dragoman-im/dragoman/core/sasl"
)

func asking(p *identitytest.Provider) config.OIDC {
	c := settings(p)
	c.Introspection = config.Introspection{
		Client: identitytest.ServerID, Secret: identitytest.ServerSecret, Introspect: config.IntrospectOpaque,
		Cache: config.Duration(10 * time.Second), Recheck: config.Duration(time.Minute),
	}
	return c
}

// TestOpaqueTokens asks a provider about tokens that only it can read (RFC 7662).
func TestOpaqueTokens(t *testing.T) {
	t.Parallel()
	server := identitytest.StartProvider(t, identitytest.User{ID: "4711", Name: "ann", Password: "pencil"})
	server.Opaque.Store(true)
	p := open(t, asking(server))
	tokens, err := server.Login(t.Context(), p.Discovery().Configuration, "ann", "pencil")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(tokens.Access, ".") == 2 {
		t.Fatal("the token is a signed one, or the test would show nothing")
	}
	person, err := p.CheckToken(t.Context(), tokens.Access)
	if err != nil || person.Name != "ann" || person.Subject != server.Issuer+" 4711" || person.Recheck == nil || person.Recheck.Every != time.Minute {
		t.Fatalf("%+v %v", person, err)
	}
	if person, err := p.CheckToken(t.Context(), tokens.ID); err != nil || person.Recheck != nil { // it needs no question
		t.Errorf("ID token: %+v %v", person, err)
	}
	var at sync.WaitGroup
	for range 20 {
		at.Go(func() {
			if _, err := p.CheckToken(t.Context(), tokens.Access); err != nil {
				t.Error(err)
			}
		})
	}
	at.Wait()
	if n := server.Questions.Load(); n != 1 {
		t.Errorf("%d questions: answers are not used again", n)
	}
	for _, wrong := range []string{"opaque", tokens.Access + "x", ""} {
		if _, err := p.CheckToken(t.Context(), wrong); !errors.Is(err, sasl.ErrRefused) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if err := person.Recheck.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := server.Revoke(t.Context(), tokens.Access); err != nil {
		t.Fatal(err)
	}
	p.later(10 * time.Second)
	if _, err := p.CheckToken(t.Context(), tokens.Access); !errors.Is(err, sasl.ErrRefused) {
		t.Error("a revoked token:", err)
	}
	if err := person.Recheck.Check(t.Context()); !errors.Is(err, sasl.ErrRefused) {
		t.Error("a revoked token of a session:", err)
	}
	c := asking(server)
	c.Introspection.Secret = "wrong"
	if _, err := open(t, c).CheckToken(t.Context(), tokens.Access); err == nil || errors.Is(err, sasl.ErrRefused) {
		t.Error("a wrong secret of this server:", err)
	}
	if _, err := open(t, settings(server)).CheckToken(t.Context(), tokens.Access); !errors.Is(err, sasl.ErrRefused) {
		t.Error("an opaque token without credentials:", err)
	}
}

// TestAllTokens asks about JSON Web Tokens too: one that was revoked is refused though its signature is right.
func TestAllTokens(t *testing.T) {
	t.Parallel()
	server := identitytest.StartProvider(t, identitytest.User{ID: "1", Name: "ann", Password: "pencil"})
	c := asking(server)
	c.Introspect = config.IntrospectAll
	p := open(t, c)
	tokens, err := server.Login(t.Context(), p.Discovery().Configuration, "ann", "pencil")
	if err != nil {
		t.Fatal(err)
	}
	person, err := p.CheckToken(t.Context(), tokens.Access)
	if err != nil || person.Name != "ann" || person.Recheck == nil {
		t.Errorf("%+v %v", person, err)
	}
	if _, err := p.CheckToken(t.Context(), tokens.ID); !errors.Is(err, sasl.ErrRefused) {
		t.Error("an ID token:", err)
	}
	asked := server.Questions.Load()
	if _, err := p.CheckToken(t.Context(), tokens.Access[:len(tokens.Access)-8]+"AAAAAAAA"); !errors.Is(err, sasl.ErrRefused) || server.Questions.Load() != asked {
		t.Error("a wrong signature:", err)
	}
	if err := server.Revoke(t.Context(), tokens.Access); err != nil {
		t.Fatal(err)
	}
	p.later(10 * time.Second)
	if _, err := p.CheckToken(t.Context(), tokens.Access); !errors.Is(err, sasl.ErrRefused) {
		t.Error("a revoked token:", err)
	}
	server.Down.Store(true)
	p.later(10 * time.Second)
	if err := person.Recheck.Check(t.Context()); err == nil || errors.Is(err, sasl.ErrRefused) {
		t.Error("a provider that is away revokes tokens:", err)
	}
}

// answering is a provider that answers questions about tokens with a text.
func answering(t *testing.T, metadata string, answer http.HandlerFunc) config.OIDC {
	t.Helper()
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ask" {
			answer(w, r)
			return
		}
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q,"introspection_endpoint":%q%s}`, s.URL, s.URL+"/keys", s.URL+"/ask", metadata)
	}))
	t.Cleanup(s.Close)
	return config.OIDC{
		Backend: config.Backend{Timeout: config.Duration(20 * time.Second)}, Claims: config.Claims{Issuer: s.URL, Audiences: []string{"xmpp"}, Claim: "preferred_username"},
		Introspection: config.Introspection{Client: "me", Secret: "s", Introspect: config.IntrospectOpaque, Cache: config.Duration(time.Second), Recheck: config.Duration(time.Minute)},
	}
}

// TestIntrospectionAnswers reads what a provider says about a token (RFC 7662 §2.2).
func TestIntrospectionAnswers(t *testing.T) {
	t.Parallel()
	const good = `"active":true,"sub":"1","aud":"xmpp","preferred_username":"ann"`
	for answer, want := range map[string]error{
		`{` + good + `}`: nil,
		`{"active":true,"sub":"1","client_id":"xmpp","username":"ann"}`:                                 nil,
		`{"active":true,"sub":"1","aud":["x","xmpp"],"username":"ann","token_type":"bearer","exp":9e9}`: nil,
		`{"active":false}`: sasl.ErrRefused,
		`{"active":false,"sub":"1","aud":"xmpp","username":"ann"}`:                   sasl.ErrRefused,
		`{"active":true,"sub":"1","username":"ann"}`:                                 sasl.ErrRefused, // for whom?
		`{"active":true,"sub":"1","aud":"mail","client_id":"xmpp","username":"ann"}`: sasl.ErrRefused,
		`{"active":true,"aud":"xmpp","username":"ann"}`:                              sasl.ErrRefused,
		`{"active":true,"aud":"xmpp","sub":"1"}`:                                     sasl.ErrRefused,
		`{` + good + `,"iss":"https://evil.example"}`:                                sasl.ErrRefused,
		`{` + good + `,"exp":1}`:                                                     sasl.ErrRefused,
		`{` + good + `,"exp":"never"}`:                                               sasl.ErrRefused,
		`{` + good + `,"nbf":9e9}`:                                                   sasl.ErrRefused,
		`{` + good + `,"token_type":"DPoP"}`:                                         sasl.ErrRefused,
		`{` + good + `,"token_use":"refresh_token"}`:                                 sasl.ErrRefused,
		`{` + good + `,"cnf":{}}`:                                                    sasl.ErrRefused,
		`{"ACTIVE":true,"sub":"1","aud":"xmpp","preferred_username":"ann"}`:          errAny,
		`{"active":"true","sub":"1","aud":"xmpp","preferred_username":"ann"}`:        errAny,
		`{}`: errAny, `[]`: errAny, `<html>`: errAny, ``: errAny, `null`: errAny,
		`{"active":true,"x":"` + strings.Repeat("x", maxAnswer) + `"}`: errAny,
	} {
		p := open(t, answering(t, "", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
		person, err := p.CheckToken(t.Context(), "opaque")
		switch {
		case want == nil && (err != nil || person.Name != "ann"), want == sasl.ErrRefused && !errors.Is(err, sasl.ErrRefused),
			want == errAny && (err == nil || errors.Is(err, sasl.ErrRefused)):
			t.Errorf("%.80s: %+v %v", answer, person, err)
		}
		if err != nil && strings.Contains(err.Error(), "evil") && want == errAny {
			t.Error("the error has the answer")
		}
	}
}

var errAny = errors.New("an error that is no refusal")

// TestIntrospectionCredentials sends the credentials as the provider wants them, and to nobody else.
func TestIntrospectionCredentials(t *testing.T) {
	t.Parallel()
	for metadata, inBody := range map[string]bool{
		"": false, `,"introspection_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post"]`: false,
		`,"introspection_endpoint_auth_methods_supported":["client_secret_post"]`: true,
	} {
		c := answering(t, metadata, func(w http.ResponseWriter, r *http.Request) {
			id, secret, basic := r.BasicAuth()
			if inBody {
				id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
			}
			if basic == inBody || id != "me" || secret != "s" || r.PostFormValue("token") != "opaque" || r.URL.RawQuery != "" {
				t.Errorf("%s: %v %v", metadata, r.Header, r.PostForm)
			}
			_, _ = w.Write([]byte(`{"active":false}`))
		})
		if _, err := open(t, c).CheckToken(t.Context(), "opaque"); !errors.Is(err, sasl.ErrRefused) {
			t.Error(err)
		}
	}
	var elsewhere atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Store(true) }))
	t.Cleanup(other.Close)
	for _, c := range []config.OIDC{
		answering(t, "", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		}),
		answering(t, `,"introspection_endpoint":"http://10.0.0.1/ask"`, nil), // without TLS
		answering(t, `,"introspection_endpoint":""`, nil),
	} {
		if _, err := open(t, c).CheckToken(t.Context(), "opaque"); err == nil || errors.Is(err, sasl.ErrRefused) || elsewhere.Load() {
			t.Error(err, elsewhere.Load())
		}
	}
}

// TestIntrospectionHangs holds a login up for as long as is configured, and ends with Close.
func TestIntrospectionHangs(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	c := answering(t, "", func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	p := open(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := p.CheckToken(ctx, "opaque"); err == nil || errors.Is(err, sasl.ErrRefused) {
		t.Error(err)
	}
}

// TestAnswersBounded keeps a limited number of answers about made-up tokens.
func TestAnswersBounded(t *testing.T) {
	t.Parallel()
	var a answers
	now := time.Now()
	for i := range 2*maxAnswers + 10 {
		key := [32]byte{byte(i), byte(i >> 8), byte(i >> 16)}
		a.add(key, answer{until: now.Add(time.Minute)}, now)
		if _, ok := a.find(key, now); !ok {
			t.Fatal("a new answer is not found")
		}
	}
	if n := len(a.list); n > maxAnswers {
		t.Errorf("%d answers", n)
	}
	if _, ok := a.find([32]byte{0, 0, 0}, now.Add(2*time.Minute)); ok {
		t.Error("an answer that is too old is used")
	}
}

// TestAnswerEndsWithToken does not use an answer again when the token has expired (RFC 7662 §4).
func TestAnswerEndsWithToken(t *testing.T) {
	t.Parallel()
	end := time.Now().Add(time.Minute).Truncate(time.Second)
	c := answering(t, "", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"active":true,"sub":"1","aud":"xmpp","preferred_username":"ann","exp":%d}`, end.Unix())
	})
	c.Cache = config.Duration(5 * time.Minute)
	p := open(t, c)
	if _, err := p.CheckToken(t.Context(), "opaque"); err != nil {
		t.Fatal(err)
	}
	p.answers.mu.Lock()
	defer p.answers.mu.Unlock()
	for _, a := range p.answers.list {
		if a.until.After(end) {
			t.Errorf("the answer is used until %s, the token ends at %s", a.until, end)
		}
	}
	if len(p.answers.list) != 1 {
		t.Errorf("%d answers", len(p.answers.list))
	}
}
