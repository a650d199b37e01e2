package sasl

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

// maxToken is the maximum length of a client's message with a token.
const maxToken = 64 << 10

// oauthBearer is the mechanism OAUTHBEARER (RFC 7628).
type oauthBearer struct {
	server  *Server
	conn    Conn
	authzid string
	refusal error // sent after the client has answered the error message
	id      Identity
}

func (o *oauthBearer) identity() Identity { return o.id }
func (o *oauthBearer) claimed() string    { return o.authzid }

func (o *oauthBearer) step(ctx context.Context, in []byte) ([]byte, bool, error) {
	if o.refusal != nil {
		return nil, false, o.refusal // RFC 7628 §3.2.3: whatever the client answers
	}
	if in == nil {
		return []byte{}, false, nil
	}
	authzid, token, err := parseBearer(in)
	if err != nil {
		return nil, false, err
	}
	if o.authzid = authzid; token == "" { // RFC 7628 §4.3: the client asks where to get one
		o.refusal = &Failure{Condition: NotAuthorized, Cause: errNoToken}
		return o.explain("invalid_token"), false, nil
	}
	err = o.check(ctx, token)
	switch {
	case err == nil:
		return nil, true, nil
	case errors.Is(err, ErrScope):
		o.refusal = err
		return o.explain("insufficient_scope"), false, nil
	case errors.Is(err, ErrRefused):
		o.refusal = err
		return o.explain("invalid_token"), false, nil
	}
	return nil, false, err
}

func (o *oauthBearer) check(ctx context.Context, token string) error {
	// A token says itself whose it is. It counts as a name of its own, so that wrong ones hold up only those who send them.
	sum := sha256.Sum256([]byte(token))
	attempt, err := o.conn.begin(ctx, "token "+hex.EncodeToString(sum[:16]))
	if err != nil {
		return err
	}
	id, err := o.server.accept(ctx, OAuthBearer, attempt, func() (Proof, error) { return o.server.cfg.Tokens.CheckToken(ctx, token) })
	if err != nil {
		return err
	}
	if err := o.server.checkAuthzid(id.JID.Local(), o.authzid); err != nil {
		return err
	}
	o.id = id
	return nil
}

// explain returns the error message of RFC 7628 §3.2.2.
func (o *oauthBearer) explain(status string) []byte {
	d := o.server.cfg.Tokens.Discovery()
	out, _ := json.Marshal(struct { // strings only: it never fails
		Status        string `json:"status"`
		Scope         string `json:"scope,omitempty"`
		Configuration string `json:"openid-configuration,omitempty"`
	}{status, d.Scope, d.Configuration})
	return out
}

// parseBearer parses the client's first message (RFC 7628 §3.1). The token is empty if the client has none.
func parseBearer(in []byte) (authzid, token string, err error) {
	const separator = "\x01"
	bad := func(why string) (string, string, error) { return "", "", fail(MalformedRequest, why) }
	if len(in) > maxToken || !utf8.Valid(in) || bytes.IndexByte(in, 0) >= 0 {
		return bad("bad bytes")
	}
	header, pairs, ok := strings.Cut(string(in), separator)
	pairs, ended := strings.CutSuffix(pairs, separator)
	if !ok || !ended {
		return bad("no separators")
	}
	flag, rest, ok1 := strings.Cut(header, ",")
	name, rest, ok2 := strings.Cut(rest, ",")
	if !ok1 || !ok2 || rest != "" || flag != "n" && flag != "y" {
		return bad("bad GS2 header")
	}
	if name != "" {
		escaped, ok := strings.CutPrefix(name, "a=")
		if authzid, ok = saslname(escaped, ok); !ok {
			return bad("bad authzid")
		}
	}
	found := false
	for pairs != "" {
		var pair string
		if pair, pairs, ok = strings.Cut(pairs, separator); !ok {
			return bad("a pair does not end")
		}
		key, value, ok := strings.Cut(pair, "=")
		if !ok || !isKey(key) {
			return bad("bad pair")
		}
		if key != "auth" {
			continue // RFC 7628 §3.1: host, port and others that are unknown
		}
		if found {
			return bad("auth twice")
		}
		found = true
		if token, ok = bearer(value); !ok {
			return bad("auth is not a bearer token")
		}
	}
	return authzid, token, nil
}

func isKey(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return s != ""
}

// bearer returns the token of an auth value: the characters of b64token (RFC 6750 §2.1), or nothing.
func bearer(value string) (string, bool) {
	if value == "" {
		return "", true
	}
	scheme, token, _ := strings.Cut(value, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	token = strings.Trim(token, " ")
	for i := 0; i < len(token); i++ {
		c := token[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && !strings.ContainsRune("-._~+/=", rune(c)) {
			return "", false
		}
	}
	return token, true
}
