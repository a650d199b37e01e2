package sasl

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

// backend is Passwords and Tokens.
type backend struct {
	proofs map[string]Proof // by "user password" or by token
	err    error            // instead of ErrRefused
}

func (b backend) check(key string) (Proof, error) {
	if p, ok := b.proofs[key]; ok {
		return p, nil
	}
	if b.err != nil {
		return Proof{}, b.err
	}
	return Proof{}, ErrRefused
}

func (b backend) CheckPassword(_ context.Context, username, password string) (Proof, error) {
	return b.check(username + " " + password)
}

func (b backend) CheckToken(_ context.Context, token string) (Proof, error) { return b.check(token) }

func (b backend) Discovery() Discovery {
	return Discovery{Configuration: "https://login.example.org/.well-known/openid-configuration", Scope: "xmpp:client:normal"}
}

func foreign(t *testing.T, b backend, set func(*Config)) *Server {
	t.Helper()
	off := credentials(t, "x")
	off.Disabled = true
	c := Config{
		Host: jid.MustParse("example.org"), Secret: secret, Iterations: 4096, Passwords: b, Tokens: b,
		Accounts: users{"ann": {}, "bob": {}, "off": off},
	}
	if set != nil {
		set(&c)
	}
	s, err := NewServer(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// counter is a Limiter that counts what became of attempts.
type counter struct {
	right, cancelled, begun int
	names                   []string
}

func (c *counter) Begin(_ context.Context, name string) (Attempt, error) {
	c.begun++
	c.names = append(c.names, name)
	return c, nil
}
func (c *counter) Right()  { c.right++ }
func (c *counter) Cancel() { c.cancelled++ }

func TestMechanismsOfBackends(t *testing.T) {
	t.Parallel()
	tls := Conn{TLS: true, Bindings: bound.Bindings}
	b := backend{}
	for _, c := range []struct {
		what string
		set  func(*Config)
		want []string
	}{
		{"passwords", func(c *Config) { c.Tokens = nil }, []string{Plain}},
		{"tokens only", func(c *Config) { c.Passwords, c.OnlyTokens = nil, true }, []string{OAuthBearer}},
		{"both", nil, []string{OAuthBearer, Plain}},
	} {
		s := foreign(t, b, c.set)
		if got := s.Mechanisms(tls); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v", c.what, got)
		}
		if got := s.Mechanisms(Conn{}); len(got) != 0 {
			t.Errorf("%s without TLS: %v", c.what, got)
		}
		if len(s.BindingTypes(tls)) != 0 {
			t.Errorf("%s: bindings that nothing uses", c.what)
		}
		for _, m := range All() {
			if _, err := s.Begin(m, tls); !slices.Contains(c.want, m) && !is(err, InvalidMechanism) { // CVE-2017-10807
				t.Errorf("%s: %s: %v", c.what, m, err)
			}
		}
		if _, err := s.Begin(c.want[0], Conn{}); !is(err, EncryptionRequired) {
			t.Error(err)
		}
	}
	if s := foreign(t, b, func(c *Config) { c.Passwords = nil }); !slices.Contains(s.Mechanisms(tls), ScramSHA256Plus) || !slices.Contains(s.Mechanisms(tls), OAuthBearer) {
		t.Error("keys and tokens", s.Mechanisms(tls))
	}
}

func TestPlainByBackend(t *testing.T) {
	t.Parallel()
	end := time.Unix(1e10, 0)
	b := backend{proofs: map[string]Proof{
		"ann pw": {Username: "ann", Backend: "ldap", Expires: end}, "off pw": {Username: "off"}, "nobody pw": {Username: "nobody"}, "strange pw": {Username: "a@b"},
	}}
	down := b
	down.err = errors.New("no route to host")
	for _, c := range []struct {
		in               string
		b                backend
		want             Condition
		right, cancelled int
	}{
		{"\x00ann\x00pw", b, "", 1, 0},
		{"\x00Ann\x00pw", b, "", 1, 0},
		{"\x00ann\x00pW", b, NotAuthorized, 0, 0},
		{"\x00off\x00pw", b, AccountDisabled, 1, 0},
		{"\x00nobody\x00pw", b, NotAuthorized, 1, 0}, // deleted meanwhile
		{"\x00strange\x00pw", b, TemporaryAuthFailure, 0, 1},
		{"\x00bob\x00pw", down, TemporaryAuthFailure, 0, 1},
		{"\x00ann\x00pw", down, "", 1, 0},
		{"bob@example.org\x00ann\x00pw", b, InvalidAuthzid, 0, 0},
	} {
		n := &counter{}
		x, err := foreign(t, c.b, nil).Begin(Plain, Conn{TLS: true, Limiter: n})
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = x.Step(t.Context(), []byte(c.in))
		if c.want != "" && !is(err, c.want) || c.want == "" && err != nil || n.right != c.right || n.cancelled != c.cancelled {
			t.Errorf("%q: %v, %+v", c.in, err, n)
		}
		id, ok := x.Identity()
		if ok != (c.want == "") || ok && (id.JID.String() != "ann@example.org" || id.Backend != "ldap" || !id.Expires.Equal(end)) {
			t.Errorf("%q: %+v", c.in, id)
		}
		if c.b.err != nil && err != nil && !errors.Is(err, ErrUnavailable) {
			t.Error(err)
		}
	}
}

const tokenAnswer = `{"status":"invalid_token","scope":"xmpp:client:normal","openid-configuration":"https://login.example.org/.well-known/openid-configuration"}`

func TestOAuthBearer(t *testing.T) {
	t.Parallel()
	b := backend{proofs: map[string]Proof{"abc.d-e_f~+/==": {Username: "ann", Backend: "oidc"}, "off": {Username: "off"}}}
	scope := b
	scope.err = ErrScope
	down := b
	down.err = errors.New("no route to host")
	for _, c := range []struct {
		in        string
		b         backend
		challenge string
		want      Condition
	}{
		{"n,a=ann@example.org,\x01host=example.org\x01port=5222\x01auth=Bearer abc.d-e_f~+/==\x01\x01", b, "", ""},
		{"n,,\x01auth=bearer abc.d-e_f~+/==\x01\x01", b, "", ""},
		{"y,,\x01auth=Bearer abc.d-e_f~+/==\x01\x01", b, "", ""},
		{"n,a=bob@example.org,\x01auth=Bearer abc.d-e_f~+/==\x01\x01", b, "", InvalidAuthzid}, // ejabberd 26.07
		{"n,a=ann@example.org,\x01auth=Bearer wrong\x01\x01", b, tokenAnswer, NotAuthorized},
		{"n,a=ann@example.org,\x01auth=\x01\x01", b, tokenAnswer, NotAuthorized}, // RFC 7628 §4.3
		{"n,,\x01auth=Bearer \x01\x01", b, tokenAnswer, NotAuthorized},
		{"n,,\x01\x01", b, tokenAnswer, NotAuthorized},
		{"n,,\x01auth=Bearer x\x01\x01", scope, strings.Replace(tokenAnswer, "invalid_token", "insufficient_scope", 1), NotAuthorized},
		{"n,,\x01auth=Bearer x\x01\x01", down, "", TemporaryAuthFailure},
		{"n,,\x01auth=Bearer off\x01\x01", b, "", AccountDisabled},
		{"", b, "", MalformedRequest},
		{"\x01", b, "", MalformedRequest},
		{"n,,", b, "", MalformedRequest},
		{"p=tls-exporter,,\x01auth=Bearer x\x01\x01", b, "", MalformedRequest},
		{"n,b=x,\x01auth=Bearer x\x01\x01", b, "", MalformedRequest},
		{"n,a==3,\x01auth=Bearer x\x01\x01", b, "", MalformedRequest},
		{"n,,x\x01auth=Bearer x\x01\x01", b, "", MalformedRequest},
		{"n,,\x01auth=Bearer x\x01", b, "", MalformedRequest},
		{"n,,\x01auth=Bearer x\x01auth=Bearer y\x01\x01", b, "", MalformedRequest},
		{"n,,\x01auth=Basic eDp5\x01\x01", b, "", MalformedRequest},
		{"n,,\x01auth=Bearer x y\x01\x01", b, "", MalformedRequest},
		{"n,,\x01auth=Bearer x\x00\x01\x01", b, "", MalformedRequest},
		{"n,,\x01auth=Bearer \xff\x01\x01", b, "", MalformedRequest},
		{"n,,\x01au th=x\x01\x01", b, "", MalformedRequest},
		{"n,,\x01=x\x01\x01", b, "", MalformedRequest},
		{"n,,\x01auth=Bearer " + strings.Repeat("x", maxToken) + "\x01\x01", b, "", MalformedRequest},
	} {
		n := &counter{}
		x, err := foreign(t, c.b, nil).Begin(OAuthBearer, Conn{TLS: true, Limiter: n})
		if err != nil {
			t.Fatal(err)
		}
		if out, done, err := x.Step(t.Context(), nil); err != nil || done || len(out) != 0 { // RFC 4422 §5
			t.Fatal(out, done, err)
		}
		out, done, err := x.Step(t.Context(), []byte(c.in))
		if string(out) != c.challenge {
			t.Errorf("%.80q: %s", c.in, out)
		}
		if c.challenge != "" {
			if err != nil || done {
				t.Errorf("%.80q: %v", c.in, err)
			}
			_, done, err = x.Step(t.Context(), []byte{1}) // RFC 7628 §3.2.3
		}
		if c.want != "" && (!is(err, c.want) || done) || c.want == "" && (err != nil || !done) {
			t.Errorf("%.80q: %v", c.in, err)
		}
		for _, name := range n.names {
			if strings.Contains(name, "wrong") {
				t.Error("the limiter got a token")
			}
		}
		if asks := strings.Contains(c.in, "auth=\x01"); asks && n.begun != 0 {
			t.Error("a question counts as a guess")
		}
	}
}

// Asking where to get a token does not use up the tries of the stream.
func TestDiscoveryIsNoFailure(t *testing.T) {
	t.Parallel()
	s := foreign(t, backend{}, nil)
	d := NewDialogue(s, Conn{TLS: true})
	for range 2 * DefaultTries {
		if out := d.Receive(t.Context(), element("auth", OAuthBearer, b64("n,,\x01auth=\x01\x01"))); out.Failure != nil || !strings.Contains(string(out.Reply), "<challenge") {
			t.Fatalf("%+v", out)
		}
		if out := d.Receive(t.Context(), element("response", "", b64("\x01"))); out.TooMany || !is(out.Failure, NotAuthorized) {
			t.Fatalf("%+v", out)
		}
	}
}

// How long a back end has taken for a refusal does not show.
func TestRefusalTimes(t *testing.T) {
	t.Parallel()
	began := time.Now()
	if _, err := plainLogin(t, foreign(t, backend{}, nil), "\x00ann\x00wrong"); !is(err, NotAuthorized) || time.Since(began) < refusalStep {
		t.Error(err, time.Since(began))
	}
}

func FuzzOAuthBearer(f *testing.F) {
	f.Add("n,a=ann@example.org,\x01host=example.org\x01port=5222\x01auth=Bearer abc\x01\x01")
	f.Add("n,,\x01auth=\x01\x01")
	f.Fuzz(func(t *testing.T, in string) {
		authzid, token, err := parseBearer([]byte(in))
		if err != nil && (!is(err, MalformedRequest) || authzid != "" || token != "") {
			t.Error(err)
		}
		if strings.ContainsAny(token, " \x01,\x00") {
			t.Errorf("token %q", token)
		}
	})
}
