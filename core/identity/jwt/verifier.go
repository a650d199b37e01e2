package jwt

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/identity"
	"github.com/dragoman-im/dragoman/core/identity/claims"
	"github.com/dragoman-im/dragoman/core/sasl"
)

// maxKeys is the maximum size of a file with keys, and maxToken that of a token.
const (
	maxKeys  = 1 << 20
	maxToken = 16 << 10
)

// Verifier is an identity.Passwords and an identity.Tokens. Any goroutine may call its methods.
type Verifier struct {
	reader *claims.Reader
	secret []byte
	file   string
	log    *slog.Logger

	mu      sync.Mutex
	keys    claims.Keys
	changed time.Time // of the file
}

// New reads the keys.
func New(c config.JWT, log *slog.Logger) (*Verifier, error) {
	v := &Verifier{reader: claims.New(c.Claims), secret: []byte(c.Secret), file: c.Keys, log: log}
	if v.file == "" {
		return v, nil
	}
	var err error
	if v.keys, v.changed, err = load(v.file); err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	return v, nil
}

func load(file string) (claims.Keys, time.Time, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, time.Time{}, err
	}
	if info.Size() > maxKeys {
		return nil, info.ModTime(), fmt.Errorf("%s: %d bytes are too many", file, info.Size())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, info.ModTime(), err
	}
	keys, err := claims.ParseKeys(text)
	if err != nil {
		return nil, info.ModTime(), fmt.Errorf("%s: %w", file, err)
	}
	return keys, info.ModTime(), nil
}

// current returns the keys of the file, or those before if it cannot be used.
func (v *Verifier) current() claims.Keys {
	info, err := os.Stat(v.file)
	v.mu.Lock()
	same := err != nil || info.ModTime().Equal(v.changed)
	keys := v.keys
	v.mu.Unlock()
	if same {
		return keys
	}
	fresh, changed, err := load(v.file)
	if err != nil {
		v.log.Error("new keys of tokens cannot be used, the old ones stay in use", "err", err)
		fresh = keys
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keys, v.changed = fresh, changed
	return fresh
}

// CheckToken implements identity.Tokens.
func (v *Verifier) CheckToken(_ context.Context, token string) (identity.Person, error) {
	refuse := func(why string) (identity.Person, error) {
		return identity.Person{}, fmt.Errorf("token: %s: %w", why, sasl.ErrRefused)
	}
	if len(token) > maxToken {
		return refuse("too long")
	}
	algorithms := []jose.SignatureAlgorithm{jose.RS256, jose.ES256}
	if v.file == "" {
		algorithms = []jose.SignatureAlgorithm{jose.HS256}
	}
	t, err := jose.ParseSignedCompact(token, algorithms) // no others, and not "none": RFC 8725 §3.1, §3.2
	if err != nil || len(t.Signatures) != 1 {
		return refuse("not a token that is signed by a permitted algorithm")
	}
	header := t.Signatures[0].Protected
	body, ok := v.verify(t, header)
	if !ok {
		return refuse("wrong signature")
	}
	kind, _ := header.ExtraHeaders[jose.HeaderType].(string)
	return v.reader.Person(claims.Token{Type: kind, Claims: body})
}

// verify checks the signature, by no key but ours: what the header says about keys is not used, except for which of ours it is.
func (v *Verifier) verify(t *jose.JSONWebSignature, header jose.Header) ([]byte, bool) {
	if v.file == "" {
		body, err := t.Verify(v.secret)
		return body, err == nil
	}
	for _, k := range v.current().For(header.KeyID, header.Algorithm) {
		if body, err := t.Verify(k.Key); err == nil {
			return body, true
		}
	}
	return nil, false
}

// CheckPassword implements identity.Passwords: the password is a token, whose name is the user's.
func (v *Verifier) CheckPassword(ctx context.Context, username, password string) (identity.Person, error) {
	p, err := v.CheckToken(ctx, password)
	if err == nil && p.Name != username {
		err = fmt.Errorf("token: of another user: %w", sasl.ErrRefused)
	}
	if err != nil {
		return identity.Person{}, err
	}
	return p, nil
}

// Discovery implements identity.Tokens: the issuer is not asked for anything.
func (v *Verifier) Discovery() sasl.Discovery { return sasl.Discovery{} }
