package logins

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// oneSecret keeps one secret.
type oneSecret struct {
	sealed tables.Sealed
	there  bool
}

func (o *oneSecret) Secret(context.Context, string) (tables.Sealed, bool, error) {
	return o.sealed, o.there, nil
}

func (o *oneSecret) PutSecret(_ context.Context, _ string, s tables.Sealed) error {
	o.sealed, o.there = s, true
	return nil
}

// The key of nonces is the same after a restart and after the keys of secrets were changed; it is kept encrypted. Without
// the key that it was encrypted with there is another one.
func TestNonceKey(t *testing.T) {
	t.Parallel()
	first, second := newKey(), newKey()
	kept := &oneSecret{}
	read := func(keys ...[]byte) []byte {
		t.Helper()
		ring, err := NewKeys(keys...)
		if err != nil {
			t.Fatal(err)
		}
		l := &Logins{env: &gateway.Env{Log: slog.New(slog.DiscardHandler)}, keys: ring}
		key, err := l.NonceKey(t.Context(), kept)
		if err != nil || len(key) != 32 || bytes.Contains(kept.sealed.Box, key) || !ring.Current(kept.sealed) {
			t.Fatalf("%d bytes, %v, kept as %v", len(key), err, kept.sealed)
		}
		return key
	}
	key := read(first)
	for name, again := range map[string][]byte{"restart": read(first), "new key": read(second, first), "old key gone": read(second)} {
		if !bytes.Equal(key, again) {
			t.Errorf("%s: another key", name)
		}
	}
	if bytes.Equal(key, read(first)) {
		t.Error("the same key, though it cannot be decrypted")
	}
}
