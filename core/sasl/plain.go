package sasl

import (
	"bytes"
	"context"
	"time"
	"unicode/utf8"
)

// maxForeign is the maximum length of a password that a back end checks, which may be a token.
const maxForeign = 16 << 10

// maxField is the maximum length of a field of a PLAIN message; RFC 4616 §2 requires at least 255.
const maxField = 1023

// plain is the mechanism PLAIN (RFC 4616).
type plain struct {
	server   *Server
	conn     Conn
	username string
	id       Identity
}

func (p *plain) identity() Identity { return p.id }
func (p *plain) claimed() string    { return p.username }

func (p *plain) step(ctx context.Context, in []byte) ([]byte, bool, error) {
	if in == nil {
		return []byte{}, false, nil // RFC 4422 §5: the client sends first, after an empty challenge
	}
	authzid, rest, ok1 := bytes.Cut(in, []byte{0})
	username, password, ok2 := bytes.Cut(rest, []byte{0})
	switch {
	case !ok1 || !ok2 || bytes.IndexByte(password, 0) >= 0:
		return nil, false, fail(MalformedRequest, "not three parts")
	case len(username) == 0 || len(password) == 0:
		return nil, false, fail(MalformedRequest, "empty part")
	case len(authzid) > 2*maxField || len(username) > maxField || len(password) > p.server.maxPassword():
		return nil, false, fail(MalformedRequest, "part too long")
	case !utf8.Valid(in):
		return nil, false, fail(MalformedRequest, "not UTF-8")
	}
	p.username = string(username)
	if err := p.server.checkAuthzid(p.username, string(authzid)); err != nil {
		return nil, false, err
	}
	attempt, err := p.conn.begin(ctx, p.server.canonical(p.username))
	if err != nil {
		return nil, false, err
	}
	if by := p.server.cfg.Passwords; by != nil {
		p.id, err = p.server.accept(ctx, Plain, attempt, func() (Proof, error) {
			return by.CheckPassword(ctx, p.server.canonical(p.username), string(password))
		})
		return nil, err == nil, err
	}
	a, err := p.server.account(ctx, p.username, anyHash)
	if err != nil {
		attempt.Cancel()
		return nil, false, err
	}
	if err := a.verify(string(password), attempt); err != nil {
		return nil, false, err
	}
	p.id = a.identity(Plain, a.plain, "")
	if prepared, err := Prepare(string(password)); err == nil {
		p.server.addKeys(ctx, p.id, prepared)
	}
	return nil, true, nil
}

// identity returns the identity of a client that has proved that it knows the password, by the key of a hash.
func (a *account) identity(mechanism string, h Hash, binding string) Identity {
	id := Identity{JID: a.jid, Mechanism: mechanism, Binding: binding, proved: Proved{Hash: h, StoredKey: a.creds.Keys[h].StoredKey}}
	id.shape, id.Revocation = a.creds.Shape(), a.creds.Revocation
	for h := range id.missing {
		id.missing[h] = !a.creds.Keys[h].Set()
	}
	return id
}

func (s *Server) maxPassword() int {
	if s.cfg.Passwords != nil {
		return maxForeign
	}
	return maxField
}

// verify checks the password. It does the same work whether the account exists or not.
func (a *account) verify(password string, attempt Attempt) error {
	prepared, bad := Prepare(password)
	if bad != nil {
		prepared = password
	}
	right := a.creds.Keys[a.plain].check(a.plain, prepared)
	return a.verdict(right && bad == nil, attempt)
}

// verdict reveals that an account is disabled or locked only to a peer that knows its password.
func (a *account) verdict(right bool, attempt Attempt) error {
	if !right || a.jid.IsZero() {
		return fail(NotAuthorized, "wrong name or password")
	}
	attempt.Right()
	return a.creds.MayLogIn(time.Now())
}
