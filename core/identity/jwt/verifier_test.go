package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/sasl"
)

const secret = "0123456789abcdef0123456789abcdef"

var settings = config.Claims{Issuer: "https://issuer.example", Audiences: []string{"xmpp", "chat"}, Claim: "sub"}

type object = map[string]any

func good() object {
	return object{"iss": "https://issuer.example", "aud": "xmpp", "sub": "ann", "exp": time.Now().Add(time.Hour).Unix()}
}

// with returns the claims of a good token with changes; nil deletes a claim.
func with(changes object) object {
	c := good()
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func sign(t *testing.T, alg jose.SignatureAlgorithm, key any, header, claims object) string {
	t.Helper()
	o := &jose.SignerOptions{}
	for name, v := range header {
		o = o.WithHeader(jose.HeaderKey(name), v)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, o)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.Sign(body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func verifier(t *testing.T, c config.JWT) *Verifier {
	t.Helper()
	if c.Issuer == "" {
		c.Claims = settings
	}
	v, err := New(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func rsaKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ecKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func pemOf(t *testing.T, keys ...crypto.PublicKey) string {
	t.Helper()
	var text strings.Builder
	for _, k := range keys {
		der, err := x509.MarshalPKIXPublicKey(k)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	return text.String()
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestClaims(t *testing.T) {
	t.Parallel()
	v := verifier(t, config.JWT{Secret: secret})
	hour := time.Now().Add(time.Hour).Unix()
	for name, c := range map[string]struct {
		claims object
		ok     bool
	}{
		"good":              {good(), true},
		"second audience":   {with(object{"aud": []string{"x", "chat"}}), true},
		"clock":             {with(object{"exp": time.Now().Add(-30 * time.Second).Unix(), "nbf": time.Now().Add(30 * time.Second).Unix()}), true},
		"fraction":          {with(object{"exp": float64(hour) + 0.5}), true},
		"no exp":            {with(object{"exp": nil}), false},
		"exp text":          {with(object{"exp": "2999-01-01"}), false},
		"exp null":          {with(object{"exp": json.RawMessage("null")}), false},
		"expired":           {with(object{"exp": time.Now().Add(-2 * time.Minute).Unix()}), false},
		"exp in 1e300":      {with(object{"exp": json.RawMessage("1e300")}), false},
		"negative":          {with(object{"exp": -1}), false},
		"not yet":           {with(object{"nbf": hour}), false},
		"nbf text":          {with(object{"nbf": "x"}), false},
		"made later":        {with(object{"iat": hour}), false},
		"other issuer":      {with(object{"iss": "https://issuer.example/"}), false},
		"no issuer":         {with(object{"iss": nil}), false},
		"issuers":           {with(object{"iss": []string{"https://issuer.example"}}), false},
		"other audience":    {with(object{"aud": "mail"}), false},
		"no audience":       {with(object{"aud": nil}), false},
		"empty audience":    {with(object{"aud": []string{}}), false},
		"audience object":   {with(object{"aud": object{"xmpp": true}}), false},
		"no sub":            {with(object{"sub": nil}), false},
		"long sub":          {with(object{"sub": strings.Repeat("x", 256)}), false},
		"sub number":        {with(object{"sub": 1}), false},
		"other letters":     {with(object{"iss": nil, "ISS": "https://issuer.example"}), false},
		"logout token":      {with(object{"events": object{"http://schemas.openid.net/event/backchannel-logout": object{}}}), false},
		"bound to a key":    {with(object{"cnf": object{"jkt": "x"}}), false},
		"forbidden letters": {with(object{"sub": "a\u0000b"}), false},
	} {
		p, err := v.CheckToken(t.Context(), sign(t, jose.HS256, []byte(secret), nil, c.claims))
		if c.ok && (err != nil || p.Name != "ann" || p.Subject != "https://issuer.example ann" || !p.Expires.IsZero()) || !c.ok && !errors.Is(err, sasl.ErrRefused) {
			t.Errorf("%s: %+v %v", name, p, err)
		}
	}
	ending := verifier(t, config.JWT{Secret: secret, Claims: config.Claims{Issuer: settings.Issuer, Audiences: settings.Audiences, Claim: "sub", End: true}})
	if p, err := ending.CheckToken(t.Context(), sign(t, jose.HS256, []byte(secret), nil, good())); err != nil || time.Until(p.Expires) < 50*time.Minute {
		t.Error(p, err)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	v := verifier(t, config.JWT{Secret: secret})
	for typ, ok := range map[string]bool{"JWT": true, "at+jwt": true, "application/at+jwt": true, "logout+jwt": false, "dpop+jwt": false, "secevent+jwt": false} {
		if _, err := v.CheckToken(t.Context(), sign(t, jose.HS256, []byte(secret), object{"typ": typ}, good())); (err == nil) != ok || !ok && !errors.Is(err, sasl.ErrRefused) {
			t.Errorf("%s: %v", typ, err)
		}
	}
	if _, err := v.CheckToken(t.Context(), sign(t, jose.HS256, []byte(secret), object{"crit": []string{"x"}, "x": 1}, good())); !errors.Is(err, sasl.ErrRefused) {
		t.Error("critical header", err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	c := config.Claims{Issuer: settings.Issuer, Audiences: settings.Audiences, Claim: "email", StripDomain: "example.org"}
	v := verifier(t, config.JWT{Secret: secret, Claims: c})
	for email, want := range map[string]string{
		"ann@example.org": "ann", "Ann@Example.ORG": "ann", "ann@example.net": `ann\40example.net`, "ann": "ann", "a b/c": `a\20b\2fc`, "@example.org": "",
		"ann@example.net@example.org": `ann\40example.net`, `ann\40example.net`: `ann\5c40example.net`, "": "", " ann": `\20ann`, "ann\n": "",
	} {
		p, err := v.CheckToken(t.Context(), sign(t, jose.HS256, []byte(secret), nil, with(object{"email": email, "email_verified": true})))
		if p.Name != want && !(strings.HasPrefix(email, " ") && err != nil) || (err == nil) != (p.Name != "") {
			t.Errorf("%q: %q %v", email, p.Name, err)
		}
	}
	for _, verified := range []any{nil, false, "true", 1} {
		if _, err := v.CheckToken(t.Context(), sign(t, jose.HS256, []byte(secret), nil, with(object{"email": "ann@example.org", "email_verified": verified}))); !errors.Is(err, sasl.ErrRefused) {
			t.Error("an address that is not verified", verified)
		}
	}
}

// The password of a user is a token of that user.
func TestAsPassword(t *testing.T) {
	t.Parallel()
	v := verifier(t, config.JWT{Secret: secret})
	token := sign(t, jose.HS256, []byte(secret), nil, good())
	if p, err := v.CheckPassword(t.Context(), "ann", token); err != nil || p.Name != "ann" {
		t.Error(err)
	}
	for _, c := range [][2]string{{"bob", token}, {"ann", "pencil"}, {"ann", ""}, {"", token}} {
		if _, err := v.CheckPassword(t.Context(), c[0], c[1]); !errors.Is(err, sasl.ErrRefused) {
			t.Errorf("%.10s %.10s: %v", c[0], c[1], err)
		}
	}
}

func TestPublicKeys(t *testing.T) {
	t.Parallel()
	r, e, other := rsaKey(t), ecKey(t), ecKey(t)
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: r.Public(), KeyID: "r", Use: "sig"}, {Key: e.Public(), KeyID: "e"}, {Key: rsaKey(t).Public(), KeyID: "x", Use: "enc"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]*Verifier{"PEM": verifier(t, config.JWT{Keys: file(t, pemOf(t, r.Public(), e.Public()))}), "JWK": verifier(t, config.JWT{Keys: file(t, string(set))})} {
		for _, c := range []struct {
			what, token string
			ok          bool
		}{
			{"RS256", sign(t, jose.RS256, r, nil, good()), true},
			{"ES256", sign(t, jose.ES256, e, nil, good()), true},
			{"RS256 with kid", sign(t, jose.RS256, r, object{"kid": "r"}, good()), true},
			{"another key", sign(t, jose.ES256, other, nil, good()), false},
			{"another key of that id", sign(t, jose.ES256, other, object{"kid": "e"}, good()), false},
			{"a key in the header", sign(t, jose.ES256, other, object{"jwk": jose.JSONWebKey{Key: other.Public()}}, good()), false},
			{"an address of keys", sign(t, jose.ES256, other, object{"jku": "https://evil.example/keys"}, good()), false},
			{"PS256", sign(t, jose.PS256, r, nil, good()), false},
			// CVE-2015-9235: the public key as a secret.
			{"HS256 with the public key", sign(t, jose.HS256, []byte(pemOf(t, r.Public())), nil, good()), false},
			{"HS256 with the JWK set", sign(t, jose.HS256, set, object{"kid": "r"}, good()), false},
		} {
			if _, err := v.CheckToken(t.Context(), c.token); (err == nil) != c.ok || err != nil && !errors.Is(err, sasl.ErrRefused) {
				t.Errorf("%s: %s: %v", name, c.what, err)
			}
		}
	}
	hmacOnly := verifier(t, config.JWT{Secret: secret})
	if _, err := hmacOnly.CheckToken(t.Context(), sign(t, jose.RS256, r, nil, good())); !errors.Is(err, sasl.ErrRefused) {
		t.Error("RS256 without a key", err)
	}
}

// CVE-2015-9235 and its kind: what is not signed, or not by a permitted algorithm.
func TestUnsigned(t *testing.T) {
	t.Parallel()
	v := verifier(t, config.JWT{Secret: secret})
	enc := base64.RawURLEncoding.EncodeToString
	body, _ := json.Marshal(good())
	valid := sign(t, jose.HS256, []byte(secret), nil, good())
	parts := strings.Split(valid, ".")
	tokens := []string{
		"", ".", "..", "...", "x", valid[:len(valid)-1], valid + "x", valid + ".", parts[0] + "." + parts[1] + ".", parts[0] + "." + parts[1],
		parts[0] + "." + enc([]byte(`{"sub":"root"}`)) + "." + parts[2], strings.Repeat(".", 10000), strings.Repeat("A", 20000), valid + "=",
		sign(t, jose.HS512, []byte(secret+secret), nil, good()), sign(t, jose.HS256, []byte(strings.Repeat("x", 32)), nil, good()),
		"{\"payload\":\"" + parts[1] + "\",\"protected\":\"" + parts[0] + "\",\"signature\":\"" + parts[2] + "\"}",
	}
	for _, alg := range []string{"none", "None", "NONE", "nOnE", ""} {
		head, _ := json.Marshal(object{"alg": alg, "typ": "JWT"})
		tokens = append(tokens, enc(head)+"."+enc(body)+".", enc(head)+"."+enc(body)+"."+parts[2])
	}
	for _, token := range tokens {
		if p, err := v.CheckToken(t.Context(), token); !errors.Is(err, sasl.ErrRefused) {
			t.Errorf("%.60q: %+v %v", token, p, err)
		}
	}
}

func TestKeyFiles(t *testing.T) {
	t.Parallel()
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	private, _ := x509.MarshalPKCS8PrivateKey(ecKey(t))
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	for name, text := range map[string]string{
		"empty": "", "text": "x", "no keys": `{"keys":[]}`, "weak": pemOf(t, weak.Public()), "curve": pemOf(t, p384.Public()),
		"private": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		"secret":  `{"keys":[{"kty":"oct","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U"}]}`,
	} {
		if _, err := New(config.JWT{Claims: settings, Keys: file(t, text)}, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// A new file is used at once, and one that is wrong not at all.
func TestKeysChange(t *testing.T) {
	t.Parallel()
	first, second := ecKey(t), ecKey(t)
	path := file(t, pemOf(t, first.Public()))
	v := verifier(t, config.JWT{Keys: path})
	write := func(text string, at time.Time) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	accepts := func(key *ecdsa.PrivateKey) bool {
		_, err := v.CheckToken(t.Context(), sign(t, jose.ES256, key, nil, good()))
		return err == nil
	}
	write(pemOf(t, second.Public()), time.Now().Add(time.Minute))
	if accepts(first) || !accepts(second) {
		t.Error("the new key is not used")
	}
	write("nonsense", time.Now().Add(2*time.Minute))
	if !accepts(second) {
		t.Error("the old key is not used any more")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if !accepts(second) {
		t.Error("the key is gone with its file")
	}
}

func FuzzToken(f *testing.F) {
	f.Add("eyJhbGciOiJIUzI1NiJ9.e30.x")
	v, err := New(config.JWT{Claims: settings, Secret: secret}, slog.New(slog.DiscardHandler))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := v.CheckToken(t.Context(), token); !errors.Is(err, sasl.ErrRefused) {
			t.Error(err)
		}
	})
}
