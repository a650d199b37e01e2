package identitytest

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// ClientID is the client of the Provider that gets tokens; they are for it.
const ClientID = "xmpp-client"

// ServerID and ServerSecret are the credentials by which a server asks the Provider about tokens.
const (
	ServerID     = "xmpp server"
	ServerSecret = "s/ecret:+ %"
)

const redirectURI = "http://localhost/auth/callback"

// User is somebody whom the Provider knows. Its ID is the sub of tokens, and its name the preferred_username.
type User struct{ ID, Name, Password string }

// Provider is an OpenID Connect provider with TLS.
type Provider struct {
	Issuer    string
	Authority *Authority
	Requests  atomic.Int64 // for metadata and keys
	Questions atomic.Int64 // about tokens
	Down      atomic.Bool  // it answers with an error
	Opaque    atomic.Bool  // access tokens that are made now are not JSON Web Tokens

	t       testing.TB
	server  *httptest.Server
	storage *keyedStorage
}

// StartProvider starts a provider.
func StartProvider(t testing.TB, users ...User) *Provider {
	t.Helper()
	p := &Provider{t: t, Authority: NewAuthority(t)}
	p.server = httptest.NewUnstartedServer(nil)
	p.server.TLS = &tls.Config{Certificates: []tls.Certificate{p.Authority.Server(t)}}
	p.Issuer = "https://" + p.server.Listener.Addr().String()
	list := userList{}
	for _, u := range users {
		list = append(list, &storage.User{ID: u.ID, Username: u.Name, Password: u.Password, Email: u.Name + "@example.org", EmailVerified: true})
	}
	clients := map[string]*storage.Client{ClientID: storage.NativeClient(ClientID, redirectURI), ServerID: storage.WebClient(ServerID, ServerSecret)}
	p.storage = &keyedStorage{Storage: storage.NewStorageWithClients(list, clients), users: list, opaque: &p.Opaque}
	p.Rotate()
	router := exampleop.SetupServer(p.Issuer, p.storage, nil, false, op.WithLogger(slog.New(slog.DiscardHandler)))
	p.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/keys" || strings.HasPrefix(r.URL.Path, "/.well-known/") {
			p.Requests.Add(1)
		}
		if r.URL.Path == "/oauth/introspect" {
			p.Questions.Add(1)
		}
		if p.Down.Load() {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		router.ServeHTTP(w, r)
	})
	p.server.StartTLS()
	t.Cleanup(p.server.Close)
	return p
}

// Rotate replaces the provider's key.
func (p *Provider) Rotate() {
	p.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		p.t.Fatal(err)
	}
	p.storage.set(&signingKey{id: rand.Text(), key: key})
}

// Sign signs claims with the provider's key, as it would never do itself.
func (p *Provider) Sign(header, claims map[string]any) string {
	p.t.Helper()
	k := p.storage.key()
	o := (&jose.SignerOptions{}).WithHeader("kid", k.id)
	for name, v := range header {
		o = o.WithHeader(jose.HeaderKey(name), v)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: k.key}, o)
	if err != nil {
		p.t.Fatal(err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		p.t.Fatal(err)
	}
	signed, err := s.Sign(body)
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

// Tokens are what a client gets.
type Tokens struct {
	Access string `json:"access_token"`
	ID     string `json:"id_token"`
}

// Revoke revokes an access token, as a client does (RFC 7009).
func (p *Provider) Revoke(ctx context.Context, token string) error {
	_, err := p.client().do(ctx, http.MethodPost, p.Issuer+"/revoke", url.Values{"token": {token}, "client_id": {ClientID}})
	return err
}

// Login gets tokens for a user as a client does: by the code flow with PKCE (XEP-0493 §3.2.3), and the provider's login page. configuration
// is the address that the XMPP server has told.
func (p *Provider) Login(ctx context.Context, configuration, name, password string) (Tokens, error) {
	c := p.client()
	var found struct {
		Auth  string `json:"authorization_endpoint"`
		Token string `json:"token_endpoint"`
	}
	if err := c.get(ctx, configuration, &found); err != nil {
		return Tokens{}, err
	}
	verifier := rand.Text() + rand.Text()
	sum := sha256.Sum256([]byte(verifier))
	page, err := c.do(ctx, http.MethodGet, found.Auth+"?"+url.Values{
		"client_id": {ClientID}, "redirect_uri": {redirectURI}, "response_type": {"code"}, "scope": {"openid profile email"}, "state": {"x"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}.Encode(), nil)
	if err != nil {
		return Tokens{}, err
	}
	done, err := c.do(ctx, http.MethodPost, page.Request.URL.String(), url.Values{"id": {page.Request.URL.Query().Get("authRequestID")}, "username": {name}, "password": {password}})
	if err != nil {
		return Tokens{}, err
	}
	back, err := done.Location()
	if err != nil {
		return Tokens{}, errors.New("the provider's page refuses the login")
	}
	answer, err := c.do(ctx, http.MethodPost, found.Token, url.Values{
		"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}, "redirect_uri": {redirectURI}, "client_id": {ClientID}, "code_verifier": {verifier},
	})
	if err != nil {
		return Tokens{}, err
	}
	var t Tokens
	return t, json.NewDecoder(answer.Body).Decode(&t)
}

// client returns a browser that trusts the provider.
func (p *Provider) client() *flow {
	jar, _ := cookiejar.New(nil)
	roots := x509.NewCertPool()
	roots.AddCert(p.Authority.cert)
	return &flow{http.Client{
		Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true},
		CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			if strings.HasPrefix(r.URL.String(), redirectURI) {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}}
}

// flow is the browser of a client. Bodies of its responses are in memory.
type flow struct{ http.Client }

func (f *flow) do(ctx context.Context, method, address string, form url.Values) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := f.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return nil, errors.New(response.Status + ": " + string(text))
	}
	response.Body = io.NopCloser(strings.NewReader(string(text)))
	return response, nil
}

func (f *flow) get(ctx context.Context, address string, into any) error {
	response, err := f.do(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	return json.NewDecoder(response.Body).Decode(into)
}

// userList is a storage.UserStore.
type userList []*storage.User

func (l userList) find(is func(*storage.User) bool) *storage.User {
	if i := slices.IndexFunc(l, is); i >= 0 {
		return l[i]
	}
	return nil
}

func (l userList) GetUserByID(id string) *storage.User {
	return l.find(func(u *storage.User) bool { return u.ID == id })
}

func (l userList) GetUserByUsername(name string) *storage.User {
	return l.find(func(u *storage.User) bool { return u.Username == name })
}
func (l userList) ExampleClientID() string { return "service" }

// keyedStorage is the provider's storage with a key that can be replaced, and JSON Web Tokens with names as access tokens.
type keyedStorage struct {
	*storage.Storage
	users  userList
	opaque *atomic.Bool

	mu      sync.Mutex
	current *signingKey
}

func (k *keyedStorage) set(key *signingKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.current = key
}

func (k *keyedStorage) key() *signingKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current
}

func (k *keyedStorage) SigningKey(context.Context) (op.SigningKey, error) { return k.key(), nil }
func (k *keyedStorage) KeySet(context.Context) ([]op.Key, error) {
	return []op.Key{publicKey{k.key()}}, nil
}

func (k *keyedStorage) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	c, err := k.Storage.GetClientByClientID(ctx, id)
	if err != nil {
		return nil, err
	}
	return tokenClient{c, k.opaque.Load()}, nil
}

// SetIntrospectionFromToken lets the server ask about the client's tokens.
func (k *keyedStorage) SetIntrospectionFromToken(ctx context.Context, answer *oidc.IntrospectionResponse, token, subject, asking string) error {
	if asking != ServerID {
		return errors.New("not a resource server")
	}
	return k.Storage.SetIntrospectionFromToken(ctx, answer, token, subject, ClientID)
}

func (k *keyedStorage) GetPrivateClaimsFromScopes(_ context.Context, userID, _ string, scopes []string) (map[string]any, error) {
	claims := map[string]any{"scope": strings.Join(scopes, " ")}
	if u := k.users.GetUserByID(userID); u != nil {
		claims["preferred_username"] = u.Username
	}
	return claims, nil
}

// tokenClient gets JSON Web Tokens, or access tokens that only the provider can read.
type tokenClient struct {
	op.Client
	opaque bool
}

func (c tokenClient) AccessTokenType() op.AccessTokenType {
	if c.opaque {
		return op.AccessTokenTypeBearer
	}
	return op.AccessTokenTypeJWT
}
func (tokenClient) IDTokenUserinfoClaimsAssertion() bool { return true }

type signingKey struct {
	id  string
	key *rsa.PrivateKey
}

func (s *signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (s *signingKey) Key() any                                    { return s.key }
func (s *signingKey) ID() string                                  { return s.id }

type publicKey struct{ *signingKey }

func (p publicKey) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (p publicKey) Use() string                        { return "sig" }
func (p publicKey) Key() any                           { return p.key.Public() }

// ECKey returns a key of somebody else.
func ECKey(t testing.TB) *ecdsa.PrivateKey { return newKey(t) }
