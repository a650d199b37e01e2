package authentication

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

func made(t *testing.T, iterations int) sasl.Credentials {
	t.Helper()
	c, err := sasl.NewCredentials("secret", iterations)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What strangers can see is counted for each host, and read again after a while.
func TestShares(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), store.Options{URL: storetest.URL(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	ctx := t.Context()
	now := time.Unix(0, 0)
	l := New(s, jid.MustParse("example.org"), Options{})
	l.now = func() time.Time { return now }
	see := func(want ...sasl.Share) {
		t.Helper()
		if got, err := l.Shares(ctx); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, not %+v (%v)", got, want, err)
		}
	}
	see()
	old, fresh, partial := made(t, 10), made(t, 20), made(t, 30)
	partial.Keys[sasl.SHA256], partial.Keys[sasl.SHA512] = sasl.Key{}, sasl.Key{}
	partial.Keys[sasl.SHA1].Salt = make([]byte, 7)
	for i := range 4 {
		if err := s.CreateAccount(ctx, jid.MustParse(fmt.Sprintf("u%d@example.org", i)), old); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.CreateAccount(ctx, jid.MustParse("carol@example.net"), fresh); err != nil { // of another host
		t.Fatal(err)
	}
	see()
	now = now.Add(sharesFor)
	see(sasl.Share{Shape: old.Shape(), Accounts: 4})

	if err := s.SetCredentials(ctx, jid.MustParse("u0@example.org"), fresh); err != nil {
		t.Fatal(err)
	}
	if err := s.SetCredentials(ctx, jid.MustParse("u1@example.org"), partial); err != nil {
		t.Fatal(err)
	}
	if err := s.CreateAccount(ctx, jid.MustParse("alice@example.org"), sasl.Credentials{}); err != nil { // has nothing to log in with
		t.Fatal(err)
	}
	now = now.Add(sharesFor - 1)
	see(sasl.Share{Shape: old.Shape(), Accounts: 4})
	now = now.Add(1)
	if !l.reading.CompareAndSwap(false, true) { // as somebody else's login
		t.Fatal("reading")
	}
	see(sasl.Share{Shape: old.Shape(), Accounts: 4})
	l.reading.Store(false)
	see(sasl.Share{Shape: old.Shape(), Accounts: 2}, sasl.Share{Accounts: 1},
		sasl.Share{Shape: partial.Shape(), Accounts: 1}, sasl.Share{Shape: fresh.Shape(), Accounts: 1})
}
