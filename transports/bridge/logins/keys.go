package logins

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/dragoman-im/dragoman/core/keyfile"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Keys encrypts the secrets of logins. The first key encrypts, all of them decrypt.
type Keys struct {
	order []string
	aeads map[string]cipher.AEAD
	sign  map[string][]byte // keys of signatures
}

// ErrUnknownKey is a secret that was encrypted with a key that is not among ours.
var ErrUnknownKey = errors.New("secret encrypted with a key that is not here")

// NewKeys makes a key ring of keys of 32 bytes.
func NewKeys(keys ...[]byte) (*Keys, error) {
	k := &Keys{aeads: map[string]cipher.AEAD{}, sign: map[string][]byte{}}
	for i, key := range keys {
		a, err := chacha20poly1305.NewX(key)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		sum := sha256.Sum256(append([]byte("key id"), key...))
		id := hex.EncodeToString(sum[:6])
		if _, again := k.aeads[id]; !again {
			k.order = append(k.order, id)
			k.aeads[id] = a
			k.sign[id] = signature(key, "key of signatures")
		}
	}
	if len(k.order) == 0 {
		return nil, errors.New("no key")
	}
	return k, nil
}

// LoadKeys reads keys from text (the configuration: 64 hexadecimal digits or base64, separated by
// blanks or commas, newest first) or, where it is empty, from a file of one key a line, which is made with mode 0600 where it does not exist.
func LoadKeys(text, file string) (*Keys, error) {
	if strings.TrimSpace(text) == "" {
		data, err := keyfile.Read(file)
		if errors.Is(err, fs.ErrNotExist) {
			data, err = makeKeyFile(file)
		}
		if err != nil {
			return nil, fmt.Errorf("read key file: %w", err)
		}
		if text = string(data); strings.TrimSpace(text) == "" {
			return nil, fmt.Errorf("key file %s holds no key: restore it from a backup; the tokens of linked accounts cannot be read without it", file)
		}
	}
	var keys [][]byte
	for _, field := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\r' || r == '\t' }) {
		key, err := readKey(field)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return NewKeys(keys...)
}

// readKey reads a key as the configuration has it, in hexadecimal digits, or as our file does, in base64.
func readKey(text string) ([]byte, error) {
	if len(text) == hex.EncodedLen(chacha20poly1305.KeySize) {
		if key, err := hex.DecodeString(text); err == nil {
			return key, nil
		}
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("a key is neither 64 hexadecimal digits nor base64") // the key itself stays out of the message
	}
	return key, nil
}

// makeKeyFile writes a new key so that a crash leaves either no file or a whole one.
func makeKeyFile(file string) ([]byte, error) {
	line := []byte(base64.StdEncoding.EncodeToString(newKey()) + "\n")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	return line, keyfile.Write(file, line, keyfile.Private)
}

func newKey() []byte {
	key := make([]byte, chacha20poly1305.KeySize)
	rand.Read(key)
	return key
}

// Seal encrypts a secret for a login.
func (k *Keys) Seal(id transports.LoginID, secret []byte) tables.Sealed {
	a := k.aeads[k.order[0]]
	nonce := make([]byte, a.NonceSize(), a.NonceSize()+len(secret)+a.Overhead())
	rand.Read(nonce)
	return tables.Sealed{Key: k.order[0], Box: a.Seal(nonce, nonce, secret, []byte(id))}
}

// Open decrypts what Seal has encrypted for the same login.
func (k *Keys) Open(id transports.LoginID, s tables.Sealed) ([]byte, error) {
	a, ok := k.aeads[s.Key]
	if !ok {
		return nil, fmt.Errorf("open secret of login %s: key %s: %w", id, s.Key, ErrUnknownKey)
	}
	if len(s.Box) < a.NonceSize() {
		return nil, fmt.Errorf("open secret of login %s: too short", id)
	}
	secret, err := a.Open(nil, s.Box[:a.NonceSize()], s.Box[a.NonceSize():], []byte(id))
	if err != nil {
		return nil, fmt.Errorf("open secret of login %s: %w", id, err)
	}
	return secret, nil
}

// Sign signs a text. Gateways with the same keys verify it.
func (k *Keys) Sign(text string) string {
	return base64.RawURLEncoding.EncodeToString(signature(k.sign[k.order[0]], text))
}

// Verify reports whether a text was signed with one of the keys.
func (k *Keys) Verify(text, signed string) bool {
	given, err := base64.RawURLEncoding.DecodeString(signed)
	if err != nil {
		return false
	}
	for _, key := range k.sign {
		if hmac.Equal(given, signature(key, text)) {
			return true
		}
	}
	return false
}

func signature(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// Current reports whether a secret is encrypted with the newest key.
func (k *Keys) Current(s tables.Sealed) bool { return s.Key == k.order[0] }
