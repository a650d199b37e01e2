package bridge

import (
	"context"
	"crypto/cipher"
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

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Keys seals the accounts' secrets. The first key seals, all of them open.
type Keys struct {
	order []string
	aeads map[string]cipher.AEAD
}

// ErrUnknownKey is a secret that was sealed with a key that is not among ours.
var ErrUnknownKey = errors.New("secret sealed with a key that is not here")

// NewKeys makes a key ring of keys of 32 bytes.
func NewKeys(keys ...[]byte) (*Keys, error) {
	k := &Keys{aeads: map[string]cipher.AEAD{}}
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
		data, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			data, err = makeKeyFile(file)
		}
		if err != nil {
			return nil, fmt.Errorf("read key file: %w", err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
			return nil, fmt.Errorf("key file %s must be readable by its owner only (chmod 600)", file)
		}
		text = string(data)
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
	if err := writeKeys(file, line); err != nil {
		return nil, err
	}
	return line, nil
}

// AddKey puts a new key in front of those in the file; Gateway.RotateKeys then seals with it.
func AddKey(file string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read key file: %w", err)
	}
	return writeKeys(file, append([]byte(base64.StdEncoding.EncodeToString(newKey())+"\n"), old...))
}

func newKey() []byte {
	key := make([]byte, chacha20poly1305.KeySize)
	rand.Read(key)
	return key
}

func writeKeys(file string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), file)
}

// Seal seals a secret for an account.
func (k *Keys) Seal(id transports.LoginID, secret []byte) tables.Sealed {
	a := k.aeads[k.order[0]]
	nonce := make([]byte, a.NonceSize(), a.NonceSize()+len(secret)+a.Overhead())
	rand.Read(nonce)
	return tables.Sealed{Key: k.order[0], Box: a.Seal(nonce, nonce, secret, []byte(id))}
}

// Open opens what Seal sealed for the same account.
func (k *Keys) Open(id transports.LoginID, s tables.Sealed) ([]byte, error) {
	a, ok := k.aeads[s.Key]
	if !ok {
		return nil, fmt.Errorf("open secret of account %s: key %s: %w", id, s.Key, ErrUnknownKey)
	}
	if len(s.Box) < a.NonceSize() {
		return nil, fmt.Errorf("open secret of account %s: too short", id)
	}
	secret, err := a.Open(nil, s.Box[:a.NonceSize()], s.Box[a.NonceSize():], []byte(id))
	if err != nil {
		return nil, fmt.Errorf("open secret of account %s: %w", id, err)
	}
	return secret, nil
}

// Current tells whether a secret is sealed with the newest key.
func (k *Keys) Current(s tables.Sealed) bool { return s.Key == k.order[0] }

// RotateKeys seals all secrets with the newest key, and tells how many were sealed with another.
func (g *Gateway) RotateKeys(ctx context.Context) (n int, err error) {
	for _, a := range g.allAccounts() {
		if g.keys.Current(a.secret()) {
			continue
		}
		if err := a.reseal(ctx); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (a *account) reseal(ctx context.Context) error {
	a.sealing.Lock()
	defer a.sealing.Unlock()
	secret, err := a.g.keys.Open(a.id, a.secret())
	if err != nil {
		return err
	}
	defer clear(secret)
	return a.keepSecret(ctx, secret)
}

// keepSecret seals a secret and keeps it, durably. sealing is held.
func (a *account) keepSecret(ctx context.Context, secret []byte) error {
	sealed := a.g.keys.Seal(a.id, secret)
	if err := a.g.store.PutSecrets(ctx, map[transports.LoginID]tables.Sealed{a.id: sealed}); err != nil {
		return fmt.Errorf("keep secret of account %s: %w", a.id, err)
	}
	a.mu.Lock()
	a.row.Secret = sealed
	a.mu.Unlock()
	return nil
}
