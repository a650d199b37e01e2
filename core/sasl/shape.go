package sasl

import (
	"encoding/binary"
	"math"
)

// Trait is what a stranger is told about a key before he has proved anything (RFC 5802
// §5.1); zero where an account has no key of that hash.
type Trait struct{ Salt, Iterations int } // bytes of the salt, rounds

// Shape is what strangers can see of an account's credentials. It is one for all hashes:
// an account whose mechanisms do not go together would be seen to be made up.
type Shape [hashes]Trait

// Share is how many accounts have a shape.
type Share struct {
	Shape    Shape
	Accounts int
}

// Shape is that of the credentials.
func (c *Credentials) Shape() Shape {
	var s Shape
	for h := range c.Keys {
		if k := &c.Keys[h]; k.Set() {
			s[h] = Trait{len(k.Salt), k.Iterations}
		}
	}
	return s
}

// valid tells whether a key of these bounds would be used; see Key.Valid.
func (t Trait) valid() bool {
	return t.Iterations >= minIterations && t.Iterations <= maxIterations && t.Salt >= minSalt && t.Salt <= maxSalt
}

// current is the shape of accounts as they are made now.
func current(iterations int) Shape {
	var s Shape
	for h := range s {
		s[h] = Trait{saltSize, iterations}
	}
	return s
}

// choose picks the shape of a name that nobody has, so that as many of those names have a
// shape as have it of the accounts. It is rendezvous hashing: when the accounts of a shape
// become more, names change to it and none between others, as accounts themselves do whose
// passwords are changed.
func (s *Server) choose(shares []Share, username string) Shape {
	best, most := current(s.cfg.Iterations), math.Inf(-1)
	for _, share := range shares {
		if share.Accounts <= 0 {
			continue
		}
		// Of (0, 1], which -log makes times until an event: the first is of a shape with a
		// probability that is its part of all accounts.
		n := binary.BigEndian.Uint64(s.derive("shape", share.Shape.bytes(), username, 8))>>11 + 1
		if lot := math.Log(float64(n)/(1<<53)) / float64(share.Accounts); lot > most {
			best, most = share.Shape, lot
		}
	}
	return best
}

// bytes names the shape where something is derived from it.
func (s Shape) bytes() string {
	var b []byte
	for _, t := range s {
		b = binary.BigEndian.AppendUint32(b, uint32(t.Salt))
		b = binary.BigEndian.AppendUint32(b, uint32(t.Iterations))
	}
	return string(b)
}

// plain is the hash that PLAIN is checked against; see Credentials.plainHash.
func (s Shape) plain() Hash {
	for _, h := range plainOrder {
		if s[h] != (Trait{}) {
			return h
		}
	}
	return plainOrder[0]
}
