package sasl

import (
	"bytes"
	"context"
	"unicode/utf8"
)

// maxField is the maximum length of a field of a PLAIN message; RFC 4616 §2 requires at least 255.
const maxField = 1023

// plain is the mechanism PLAIN (RFC 4616).
type plain struct {
	server *Server
	id     Identity
}

func (p *plain) identity() Identity { return p.id }

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
	case len(authzid) > 2*maxField || len(username) > maxField || len(password) > maxField:
		return nil, false, fail(MalformedRequest, "part too long")
	case !utf8.Valid(in):
		return nil, false, fail(MalformedRequest, "not UTF-8")
	}
	if err := p.server.checkAuthzid(string(username), string(authzid)); err != nil {
		return nil, false, err
	}
	a, err := p.server.account(ctx, string(username), anyHash)
	if err != nil {
		return nil, false, err
	}
	if err := a.verify(string(password)); err != nil {
		return nil, false, err
	}
	p.id = Identity{JID: a.jid, Mechanism: Plain}
	return nil, true, nil
}

// verify checks the password. It does the same work whether the account exists or not.
func (a *account) verify(password string) error {
	prepared, bad := Prepare(password)
	if bad != nil {
		prepared = password
	}
	right := a.creds.Keys[a.plain].check(a.plain, prepared)
	return a.verdict(right && bad == nil)
}

// verdict reveals that an account is disabled only to a peer that knows its password.
func (a *account) verdict(right bool) error {
	switch {
	case !right || a.jid.IsZero():
		return fail(NotAuthorized, "wrong name or password")
	case a.creds.Disabled:
		return fail(AccountDisabled, "disabled")
	}
	return nil
}
