package authentication

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/dragoman-im/dragoman/core/identity"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

func open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: storetest.URL(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestIdentities(t *testing.T) {
	t.Parallel()
	s, ctx := open(t), t.Context()
	a, other := New(s, jid.MustParse("example.org"), Options{}), New(s, jid.MustParse("example.net"), Options{})
	if err := s.CreateAccount(ctx, jid.MustParse("ann@example.org"), made(t, 10)); err != nil {
		t.Fatal(err)
	}
	if o, err := a.Owner(ctx, "ann"); err != nil || o != (identity.Owner{}) {
		t.Error(o, err)
	}
	if _, err := a.Owner(ctx, "bob"); !errors.Is(err, sasl.ErrUnknownUser) {
		t.Error(err)
	}
	bob := identity.Owner{Backend: "ldap", Subject: "1"}
	if err := a.Create(ctx, "bob", bob); err != nil {
		t.Fatal(err)
	}
	if err := other.Create(ctx, "bob", bob); err != nil { // the same person, on another host
		t.Fatal(err)
	}
	if o, err := a.Owner(ctx, "bob"); err != nil || o != bob {
		t.Error(o, err)
	}
	if name, err := a.Account(ctx, bob); err != nil || name != "bob" {
		t.Error(name, err)
	}
	if _, err := a.Account(ctx, identity.Owner{Backend: "oidc", Subject: "1"}); !errors.Is(err, sasl.ErrUnknownUser) {
		t.Error(err)
	}
	if err := a.Create(ctx, "bob", identity.Owner{Backend: "ldap", Subject: "2"}); !errors.Is(err, identity.ErrTaken) {
		t.Error(err)
	}
	if err := a.Create(ctx, "ann", bob); !errors.Is(err, identity.ErrTaken) {
		t.Error(err)
	}
	if err := a.Create(ctx, "robert", bob); !errors.Is(err, identity.ErrHasAccount) {
		t.Error(err)
	}
	if ok, err := s.Exists(ctx, jid.MustParse("robert@example.org")); ok || err != nil {
		t.Error("an account without a back end", err)
	}
	for name, want := range map[string]bool{"ann": false, "bob": true, "carol": false} {
		if got, err := a.Foreign(ctx, name); got != want || err != nil {
			t.Error(name, got, err)
		}
	}
	if err := s.SetCredentials(ctx, jid.MustParse("bob@example.org"), made(t, 10)); !errors.Is(err, store.ErrForeign) {
		t.Error("a foreign account got a password", err)
	}
	if err := s.SetCredentialsAndRevoke(ctx, jid.MustParse("bob@example.org"), made(t, 10)); !errors.Is(err, store.ErrForeign) {
		t.Error(err)
	}

	if err := s.RemoveAccount(ctx, jid.MustParse("bob@example.org")); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Owner(ctx, "bob"); !errors.Is(err, sasl.ErrUnknownUser) {
		t.Error(err)
	}
	if _, err := a.Account(ctx, bob); !errors.Is(err, sasl.ErrUnknownUser) {
		t.Error(err)
	}
	if err := a.Create(ctx, "bob", bob); !errors.Is(err, identity.ErrTaken) { // it is still being deleted
		t.Error(err)
	}
	if err := s.DeleteAccount(ctx, jid.MustParse("bob@example.org")); err != nil {
		t.Fatal(err)
	}
	if err := a.Create(ctx, "robert", bob); err != nil {
		t.Error(err)
	}
}

// One subject has one account, also where its logins try several names at the same time.
func TestCreateAtOnce(t *testing.T) {
	t.Parallel()
	s, ctx := open(t), t.Context()
	a := New(s, jid.MustParse("example.org"), Options{})
	o := identity.Owner{Backend: "oidc", Subject: "1"}
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for i := range 16 {
		wg.Go(func() {
			switch err := a.Create(ctx, fmt.Sprint("bob", i%8), o); {
			case err == nil:
				mu.Lock()
				defer mu.Unlock()
				made++
			case !errors.Is(err, identity.ErrTaken) && !errors.Is(err, identity.ErrHasAccount):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if made != 1 {
		t.Errorf("%d accounts", made)
	}
}
