package resumption

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"strings"
)

// ID is the id of a session that can be resumed (XEP-0198 §5, SM-ID). A name finds the session, and a secret of 130
// random bits proves that the client has it; the server keeps the hash of the secret.
type ID struct {
	Name string
	hash [sha256.Size]byte
}

// nameLength is the length of a name, which is one of the store's keys: 80 random bits.
const nameLength = 16

// NewID returns a new id and the text that the client gets.
func NewID() (id ID, text string) {
	secret := rand.Text()
	id = ID{Name: rand.Text()[:nameLength], hash: sha256.Sum256([]byte(secret))}
	return id, id.Name + "." + secret
}

// ParseID returns the id that a client has sent. ok is false for a text that no id looks like.
func ParseID(text string) (id ID, ok bool) {
	name, secret, ok := strings.Cut(text, ".")
	if !ok || len(name) != nameLength || len(text) > 100 {
		return ID{}, false
	}
	return ID{Name: name, hash: sha256.Sum256([]byte(secret))}, true
}

// StoredID returns the id that was stored as a name and a hash.
func StoredID(name string, hash []byte) ID {
	id := ID{Name: name}
	copy(id.hash[:], hash)
	return id
}

// Hash returns the hash of the secret.
func (id ID) Hash() []byte { return id.hash[:] }

// Equal compares in constant time.
func (id ID) Equal(other ID) bool {
	return id.Name == other.Name && subtle.ConstantTimeCompare(id.hash[:], other.hash[:]) == 1
}

// IsZero reports whether there is no id.
func (id ID) IsZero() bool { return id.Name == "" }
