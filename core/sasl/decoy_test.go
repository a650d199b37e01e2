package sasl

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
)

// seen returns what a client without the password can observe about a user name: the lengths of the salts, the
// iteration counts, and the salts themselves.
func seen(t *testing.T, s *Server, name string) (Shape, [hashes]Key) {
	t.Helper()
	var shape Shape
	var keys [hashes]Key
	for h := range hashes {
		a, err := s.account(t.Context(), name, h)
		if err != nil {
			t.Fatal(err)
		}
		keys[h] = a.creds.Keys[h]
		shape[h] = Trait{len(keys[h].Salt), keys[h].Iterations}
	}
	return shape, keys
}

func rounds(t *testing.T, n int) Credentials {
	t.Helper()
	c, err := NewCredentials("pencil", n)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The salts that are derived for unknown names must not change with a release: the salts of accounts do not, so a
// change would reveal which accounts exist.
func TestDerivedSaltIsStable(t *testing.T) {
	t.Parallel()
	s, err := NewServer(Config{Host: jid.MustParse("home.test"), Accounts: users{}, Secret: []byte("0123456789abcdef")})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second call uses the cached HMAC state of the first
		if got := fmt.Sprintf("%x", s.derive("salt", "SHA-1", "nobody", 40)); got !=
			"1f8e566149e9d137e59d74bf45651bac0a490ee94cbffa09823c9900a45f92f8586395a15698f306" {
			t.Error(got)
		}
	}
}

// Decoys have the iteration counts of the existing accounts in the same shares, whatever the configured count is.
func TestDecoysLookLikeAccounts(t *testing.T) {
	t.Parallel()
	const many = 400
	u := users{}
	s := server(t, u) // its accounts are made with 4096 rounds
	count := func() map[int]int {
		t.Helper()
		n := map[int]int{}
		for i := range many {
			shape, _ := seen(t, s, fmt.Sprintf("nobody%d", i))
			for h := range hashes {
				if shape[h] != shape[0] {
					t.Fatalf("hashes of one name differ: %v", shape)
				}
			}
			n[shape[0].Iterations]++
		}
		return n
	}
	if n := count(); n[4096] != many {
		t.Errorf("without accounts: %v", n)
	}
	for i := range 4 {
		u[fmt.Sprintf("u%d", i)] = rounds(t, 10)
	}
	if n := count(); n[10] != many {
		t.Errorf("all accounts have 10 rounds, nobody has %v", n)
	}
	before := map[string][hashes]Key{}
	for i := range many {
		name := fmt.Sprintf("nobody%d", i)
		_, before[name] = seen(t, s, name)
	}
	u["u0"] = rounds(t, 4096)
	n := count()
	if n[10]+n[4096] != many || n[4096] < many/8 || n[4096] > 3*many/8 {
		t.Errorf("a quarter of the accounts has 4096 rounds, of nobody: %v", n)
	}
	for name, was := range before {
		_, is := seen(t, s, name)
		for h := range hashes {
			if same := bytes.Equal(was[h].Salt, is[h].Salt); same != (was[h].Iterations == is[h].Iterations) {
				t.Fatalf("%s: salt the same: %v, rounds %d and %d", name, same, was[h].Iterations, is[h].Iterations)
			}
		}
	}
	u["u1"] = rounds(t, 4096)
	for name, was := range before { // a name that has changed does not change back
		if shape, _ := seen(t, s, name); was[0].Iterations == 4096 && shape[0].Iterations == 10 {
			t.Errorf("%s changed back to its old shape", name)
		}
	}
}

// The only account was imported without a key for SHA-256: decoys have the same shape.
func TestDecoysLikePartialAccounts(t *testing.T) {
	t.Parallel()
	c := rounds(t, 10)
	c.Keys[SHA256] = Key{}
	c.Keys[SHA1].Salt = bytes.Repeat([]byte("salt"), 25)
	s := server(t, users{"alice": c})
	is, _ := seen(t, s, "alice")
	made, keys := seen(t, s, "nobody")
	if is != made || made[SHA256] != (Trait{saltSize, 4096}) || made[SHA1] != (Trait{100, 10}) {
		t.Errorf("account %v, nobody %v", is, made)
	}
	if salt := keys[SHA1].Salt; bytes.Equal(salt[:32], salt[32:64]) {
		t.Error("a long salt repeats itself")
	}
	for _, name := range []string{"alice", "nobody"} { // PLAIN costs the same
		if a, err := s.account(t.Context(), name, anyHash); err != nil || a.plain != SHA512 || a.creds.Keys[a.plain].Iterations != 10 {
			t.Errorf("%s is checked with %v (%v)", name, a.plain, err)
		}
	}
}

// countingStore counts the calls of the store in an exchange.
type countingStore struct {
	users
	lookups, shares int
}

func (a *countingStore) Lookup(ctx context.Context, name string) (Credentials, error) {
	a.lookups++
	return a.users.Lookup(ctx, name)
}

func (a *countingStore) Shares(ctx context.Context) ([]Share, error) {
	a.shares++
	return a.users.Shares(ctx)
}

func TestDecoysCallTheStoreAlike(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"alice", "nobody"} {
		a := &countingStore{users: users{"alice": credentials(t, "pencil")}}
		s := server(t, a)
		if _, err := s.account(t.Context(), name, SHA1); err != nil || a.lookups != 1 || a.shares != 1 {
			t.Errorf("%s: %d calls of Lookup, %d of Shares, %v", name, a.lookups, a.shares, err)
		}
	}
}
