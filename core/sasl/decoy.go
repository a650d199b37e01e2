package sasl

import (
	"encoding/base32"
	"encoding/binary"
	"hash"
	"math"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Trait holds the parameters of a key that a peer can see before it has authenticated (RFC 5802
// §5.1); zero if an account has no key of that hash.
type Trait struct{ Salt, Iterations int } // bytes of the salt, rounds

// Shape is what a peer can learn of an account's credentials without the password. It covers all hashes:
// a decoy whose mechanisms do not fit together would be recognised.
type Shape [hashes]Trait

// Share is how many accounts have a shape.
type Share struct {
	Shape    Shape
	Accounts int
}

// Shape returns the shape of the credentials.
func (c *Credentials) Shape() Shape {
	var s Shape
	for h := range c.Keys {
		if k := &c.Keys[h]; k.Set() {
			s[h] = Trait{len(k.Salt), k.Iterations}
		}
	}
	return s
}

// valid reports whether a key with these parameters would be used; see Key.Valid.
func (t Trait) valid() bool {
	return t.Iterations >= minIterations && t.Iterations <= maxIterations && t.Salt >= minSalt && t.Salt <= maxSalt
}

// current returns the shape of new accounts.
func current(iterations int) Shape {
	var s Shape
	for h := range s {
		s[h] = Trait{saltSize, iterations}
	}
	return s
}

// decoyShape selects the shape for a name without an account. The share of such names with a
// shape equals the share of accounts with it. It uses rendezvous hashing: when the share of a shape
// grows, some names change to that shape and none between other shapes, like accounts whose
// passwords are changed.
func (s *Server) decoyShape(shares []Share, username string) Shape {
	best, most := current(s.cfg.Iterations), math.Inf(-1)
	for _, share := range shares {
		if share.Accounts <= 0 {
			continue
		}
		// n/2^53 is in (0, 1], so that -lot is exponentially distributed with the rate share.Accounts: it is the
		// lowest for a shape with a probability equal to its share of all accounts.
		n := binary.BigEndian.Uint64(s.derive("shape", share.Shape.bytes(), username, 8))>>11 + 1
		if lot := math.Log(float64(n)/(1<<53)) / float64(share.Accounts); lot > most {
			best, most = share.Shape, lot
		}
	}
	return best
}

// bytes identifies the shape in the input of derive.
func (s Shape) bytes() string {
	var b []byte
	for _, t := range s {
		b = binary.BigEndian.AppendUint32(b, uint32(t.Salt))
		b = binary.BigEndian.AppendUint32(b, uint32(t.Iterations))
	}
	return string(b)
}

// plain returns the hash that PLAIN is checked against; see Credentials.plainHash.
func (s Shape) plain() Hash {
	for _, h := range plainOrder {
		if s[h] != (Trait{}) {
			return h
		}
	}
	return plainOrder[0]
}

// decoyKey makes a key that looks like one of an account of that shape. If
// such an account has no key of that hash, it looks like one of a new account.
func (s *Server) decoyKey(username string, h Hash, shape Shape) Key {
	t := shape[h]
	if !t.valid() {
		t = current(s.cfg.Iterations)[h]
	}
	// The salt depends on the shape: an account also gets a new salt with a new password. An account that gets a key of a hash that it
	// lacked keeps its other salts, and the one that it has shown for that hash.
	for h, t := range current(s.cfg.Iterations) {
		if shape[h] == (Trait{}) {
			shape[h] = t
		}
	}
	of := h.String() + "\x00" + shape.bytes()
	return Key{
		Salt:       s.derive("salt", of, username, t.Salt),
		Iterations: t.Iterations,
		StoredKey:  s.derive("stored", of, username, h.size()),
		ServerKey:  s.derive("server", of, username, h.size()),
	}
}

// ClientID returns a text that is always the same for a client of an account and a name, and from which the client's id cannot be
// computed.
func (s *Server) ClientID(account jid.JID, client, name string) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(s.derive("client", client+"\x00"+name, account.Local(), 10))
}

// derive returns n bytes that without the secret cannot be predicted or distinguished from random ones.
func (s *Server) derive(what, of, username string, n int) []byte {
	m := s.macs.Get().(hash.Hash)
	defer s.macs.Put(m)
	text := []byte("\x00" + what + "\x00" + of + "\x00" + s.cfg.Host.Domain() + "\x00" + username)
	var out []byte
	for ; len(out) < n; text[0]++ {
		m.Reset()
		m.Write(text)
		out = m.Sum(out)
	}
	return out[:n]
}
