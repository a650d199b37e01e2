package administration

import (
	"context"
	"errors"
	"testing"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

var (
	alice = jid.MustParse("alice@example.org")
	bob   = jid.MustParse("bob@example.org")
)

// open returns the tables of a new database with accounts.
func open(t *testing.T, accounts ...jid.JID) *Tables {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: storetest.URL(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, a := range accounts {
		if err := s.CreateAccount(context.Background(), a, sasl.Credentials{}); err != nil {
			t.Fatal(err)
		}
	}
	return New(s, 1)
}

// A role that was granted ends when the account is deleted, also for whoever gets the name next.
func TestCVE_2024_25420_RoleEndsWithAccount(t *testing.T) {
	t.Parallel()
	s := open(t, alice, bob)
	ctx := t.Context()
	roleOf := func(who jid.JID) admin.Role {
		t.Helper()
		list, err := s.Roles(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return list[who]
	}
	for _, role := range []admin.Role{admin.Operator, admin.Admin} {
		if err := s.SetRole(ctx, alice, role); err != nil || roleOf(alice) != role || roleOf(bob) != admin.User {
			t.Errorf("%v, %s", err, roleOf(alice))
		}
	}
	if err := s.RemoveAccount(ctx, alice); err != nil {
		t.Fatal(err)
	}
	if err := s.SetRole(ctx, alice, admin.Admin); !errors.Is(err, admin.ErrNoAccount) || roleOf(alice) != admin.User {
		t.Errorf("while it is being deleted: %v, %s", err, roleOf(alice))
	}
	if err := errors.Join(s.DeleteAccount(ctx, alice), s.CreateAccount(ctx, alice, sasl.Credentials{})); err != nil || roleOf(alice) != admin.User {
		t.Errorf("%v, %s", err, roleOf(alice))
	}
	if err := errors.Join(s.SetRole(ctx, bob, admin.Operator), s.SetRole(ctx, bob, admin.User)); err != nil || roleOf(bob) != admin.User {
		t.Errorf("revoked: %v, %s", err, roleOf(bob))
	}
	if err := s.SetRole(ctx, jid.MustParse("carol@example.org"), admin.Admin); !errors.Is(err, admin.ErrNoAccount) {
		t.Error(err)
	}
}
