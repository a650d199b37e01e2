package sasl

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

const (
	plus      = "-PLUS"
	nonceSize = 24 // bytes of randomness, 192 bit
)

// scram is one exchange of a SCRAM mechanism (RFC 5802).
type scram struct {
	server      *Server
	name        string
	hash        Hash
	plus        bool // the mechanism binds to the channel
	conn        Conn
	nonce       func() string
	withoutHash bool // of XEP-0474: the vectors of RFC 5802 have none

	state      scramState
	first      clientFirst
	binding    Binding
	account    account
	full       string // both nonces
	serverText string
}

type scramState uint8

const (
	wantFirst scramState = iota
	wantFinal
)

var scramHash = map[string]Hash{ScramSHA1: SHA1, ScramSHA256: SHA256, ScramSHA512: SHA512}

func newScram(s *Server, name string, c Conn) *scram {
	base, isPlus := strings.CutSuffix(name, plus)
	return &scram{server: s, name: name, hash: scramHash[base], plus: isPlus, conn: c, nonce: newNonce}
}

func newNonce() string {
	b := make([]byte, nonceSize)
	_, _ = rand.Read(b) // never fails
	return base64.RawStdEncoding.EncodeToString(b)
}

func (m *scram) identity() Identity {
	return m.account.identity(m.name, m.hash, m.binding.Type)
}

func (m *scram) claimed() string { return m.first.username }

func (m *scram) step(ctx context.Context, in []byte) ([]byte, bool, error) {
	if m.state == wantFinal {
		out, err := m.final(ctx, in)
		return out, err == nil, err
	}
	if in == nil {
		return []byte{}, false, nil
	}
	out, err := m.begin(ctx, in)
	return out, false, err
}

// begin handles the client-first-message. RFC 5802 §5, §6.
func (m *scram) begin(ctx context.Context, in []byte) ([]byte, error) {
	var err error
	if m.first, err = parseClientFirst(in); err != nil {
		return nil, err
	}
	if err = m.checkFlag(); err != nil {
		return nil, err
	}
	if err = m.server.checkAuthzid(m.first.username, m.first.authzid); err != nil {
		return nil, err
	}
	if m.account, err = m.server.account(ctx, m.first.username, m.hash); err != nil {
		return nil, err
	}
	key := &m.account.creds.Keys[m.hash]
	m.full = m.first.nonce + m.nonce()
	m.serverText = "r=" + m.full + ",s=" + base64.StdEncoding.EncodeToString(key.Salt) +
		",i=" + strconv.Itoa(key.Iterations)
	if !m.withoutHash {
		m.serverText += ",h=" + m.offered()
	}
	m.state = wantFinal
	return []byte(m.serverText), nil
}

// checkFlag compares the client's flag for channel binding with what was offered.
func (m *scram) checkFlag() error {
	switch m.first.flag {
	case 'p':
		k := slices.IndexFunc(m.conn.Bindings, func(b Binding) bool { return b.Type == m.first.binding })
		if !m.plus || k < 0 {
			return &Failure{Condition: NotAuthorized, Cause: ErrBindingType}
		}
		m.binding = m.conn.Bindings[k]
	case 'y':
		// The client supports channel binding and has not seen -PLUS in our list: an attacker removed it. Nothing
		// that came before on this stream is an exception, since the attacker may have sent that (RFC 5802 §6).
		if m.plus || len(m.server.BindingTypes(m.conn)) > 0 {
			return &Failure{Condition: NotAuthorized, Cause: ErrDowngrade}
		}
	default:
		if m.plus {
			return fail(NotAuthorized, "no channel binding")
		}
	}
	return nil
}

// offered returns the hash of the announced mechanisms and channel bindings, so that the client can detect that an
// attacker changed them (XEP-0474 §5.1).
func (m *scram) offered() string {
	mechanisms := m.server.Mechanisms(m.conn)
	slices.Sort(mechanisms)
	text := strings.Join(mechanisms, "\x1e")
	if types := m.server.BindingTypes(m.conn); len(types) > 0 {
		slices.Sort(types)
		text += "\x1f" + strings.Join(types, "\x1e")
	}
	h := m.hash.new()()
	h.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// final checks the client-final-message and returns the server's proof that it has the account's key.
func (m *scram) final(ctx context.Context, in []byte) ([]byte, error) {
	last, err := parseClientFinal(in, m.hash.size())
	if err != nil {
		return nil, err
	}
	attempt, err := m.conn.begin(ctx, m.server.canonical(m.first.username))
	if err != nil {
		return nil, err
	}
	key := &m.account.creds.Keys[m.hash]
	auth := m.first.bare + "," + m.serverText + "," + last.withoutProof
	client := mac(m.hash, key.StoredKey, auth)
	subtle.XORBytes(client, client, last.proof)
	stored := m.hash.new()()
	stored.Write(client)

	channel := append([]byte(m.first.header), m.binding.Data...)
	right := subtle.ConstantTimeCompare(last.channel, channel)
	right &= subtle.ConstantTimeCompare([]byte(last.nonce), []byte(m.full))
	right &= subtle.ConstantTimeCompare(stored.Sum(nil), key.StoredKey)
	if err := m.account.verdict(right == 1, attempt); err != nil {
		return nil, err
	}
	return []byte("v=" + base64.StdEncoding.EncodeToString(mac(m.hash, key.ServerKey, auth))), nil
}
