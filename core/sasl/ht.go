package sasl

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// The mechanisms of hashed tokens (draft-schmaus-kitten-sasl-ht-09 §4), which are for FAST only. HT-SHA-256-UNIQ is not offered: its
// channel binding is not secure (RFC 9266 §1).
const (
	HTExporter = "HT-SHA-256-EXPR"
	HTEndPoint = "HT-SHA-256-ENDP"
	HTNone     = "HT-SHA-256-NONE"
)

// htKinds are the mechanisms of FAST with their channel binding, the best first.
var htKinds = []struct{ name, binding string }{{HTExporter, BindExporter}, {HTEndPoint, BindEndPoint}, {HTNone, ""}}

// FastMechanisms returns the mechanisms that the peer may use with a token on this connection; none without TLS (XEP-0484 §6).
func (s *Server) FastMechanisms(c Conn) []string {
	if !c.TLS || s.cfg.Fast.Clients == nil || s.cfg.Accounts == nil {
		return nil
	}
	var out []string
	for _, k := range htKinds {
		if _, ok := c.binding(k.binding); ok {
			out = append(out, k.name)
		}
	}
	return out
}

// binding returns the data of a channel binding of the connection: none for "".
func (c *Conn) binding(typ string) ([]byte, bool) {
	if typ == "" {
		return nil, true
	}
	k := slices.IndexFunc(c.Bindings, func(b Binding) bool { return b.Type == typ })
	if k < 0 {
		return nil, false
	}
	return c.Bindings[k].Data, true
}

// ht is one exchange with a hashed token.
type ht struct {
	server   *Server
	conn     Conn
	name     string
	binding  string
	request  *Request
	username string
	id       Identity
}

func (m *ht) identity() Identity { return m.id }
func (m *ht) claimed() string    { return m.username }

// newHT returns the exchange for a request; its mechanism is one of FastMechanisms.
func newHT(s *Server, name string, c Conn, r *Request) *ht {
	m := &ht{server: s, conn: c, name: name, request: r}
	for _, k := range htKinds {
		if k.name == name {
			m.binding = k.binding
		}
	}
	return m
}

// step handles the initiator's message, the only one (draft-schmaus-kitten-sasl-ht-09 §3.1).
func (m *ht) step(ctx context.Context, in []byte) ([]byte, bool, error) {
	username, proof, ok := bytes.Cut(in, []byte{0})
	if !ok || len(username) == 0 || len(username) > maxField || len(proof) != sha256.Size || !utf8.Valid(username) {
		return nil, false, fail(MalformedRequest, "no user name and hash")
	}
	if m.request.Agent.ID == "" {
		return nil, false, fail(MalformedRequest, "token without the id of the user agent") // XEP-0484 §4.1
	}
	m.username = m.server.canonical(string(username))
	attempt, err := m.conn.begin(ctx, m.username)
	if err != nil {
		return nil, false, err
	}
	data, _ := m.conn.binding(m.binding)
	found, err := m.find(ctx, proof, data)
	if err != nil {
		attempt.Cancel()
		return nil, false, err
	}
	if err := found.account.verdict(found.right, attempt); err != nil {
		return nil, false, err
	}
	if err := m.accept(ctx, found.token); err != nil {
		return nil, false, err
	}
	m.id = Identity{
		JID: found.account.jid, Mechanism: m.name, Binding: m.binding, Backend: found.token.Backend, Revocation: found.account.creds.Revocation,
		token: &found.token, proved: Proved{Seed: found.token.Seed},
	}
	return hashToken(found.text, "Responder", data), true, nil
}

// match is a token that a proof was made with.
type match struct {
	right   bool
	account account
	token   Token
	text    string
}

// find looks for the token of a proof. The work is the same whether there are such an account, client and token or not.
func (m *ht) find(ctx context.Context, proof, data []byte) (match, error) {
	var found match
	a, err := m.server.account(ctx, m.username, SHA256)
	if err != nil {
		return found, err
	}
	tokens, err := m.server.cfg.Fast.Clients.Tokens(ctx, m.username, m.request.Agent.ID)
	if err != nil {
		return found, fmt.Errorf("look up tokens of %s: %w", m.username, err)
	}
	found.account = a
	for i := range maxTokens {
		t := Token{Seed: make([]byte, seedSize)}
		if i < len(tokens) {
			t = tokens[i]
		}
		text := m.server.tokenText(m.username, m.request.Agent.ID, m.name, t.Seed)
		right := hmac.Equal(hashToken(text, "Initiator", data), proof)
		if right && i < len(tokens) && t.Mechanism == m.name { // XEP-0484 §3.4
			found.right, found.token, found.text = true, t, text
		}
	}
	return found, nil
}

// accept checks the rest of what a proof with the right token needs, and records that it was used.
func (m *ht) accept(ctx context.Context, t Token) error {
	if !m.server.cfg.Fast.Now().Before(t.Expires) {
		return fail(CredentialsExpired, "the token has expired") // XEP-0484 §4.2
	}
	if t.Backend != "" {
		if err := m.askOwner(ctx, t); err != nil {
			return err
		}
	}
	use := m.request.use
	if use.counted && use.count <= t.Count {
		return fail(NotAuthorized, "the login was repeated: its count is not higher than that of an earlier one") // XEP-0484 §3.4
	}
	if !t.Fresh && !use.counted && !use.invalidate {
		return nil
	}
	err := m.server.cfg.Fast.Clients.Use(ctx, m.username, m.request.Agent.ID, Use{Token: t, Count: max(use.count, t.Count), Invalidate: use.invalidate})
	if errors.Is(err, ErrTokenGone) {
		return fail(NotAuthorized, "the token was revoked or used meanwhile")
	}
	return err
}

func hashToken(token, who string, binding []byte) []byte {
	h := hmac.New(sha256.New, []byte(token))
	h.Write([]byte(who))
	h.Write(binding)
	return h.Sum(nil)
}

// newSeed returns what distinguishes a token from all others.
func newSeed() []byte {
	seed := make([]byte, seedSize)
	_, _ = rand.Read(seed) // never fails
	return seed
}

// Constants of tokens.
const (
	maxTokens = 2 // of one client: the one in use and the one that is to replace it
	seedSize  = 16
)
