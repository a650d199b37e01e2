package store

import (
	"errors"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/features/register"
	"github.com/dragoman-im/dragoman/core/sasl"
)

// A state that keeps people out is in force at once, has the sessions ended, and goes with the account.
func TestAccountStates(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	ctx := t.Context()
	account(t, s, alice)
	until := time.Now().Add(time.Hour).Truncate(time.Microsecond)
	see := func(want sasl.State, reason string) {
		t.Helper()
		state, err := s.AccountState(ctx, alice)
		c, err2 := s.Credentials(ctx, alice)
		if err != nil || err2 != nil || state.Disabled != want.Disabled || !state.Locked.Equal(want.Locked) || c.Disabled != want.Disabled || !c.Locked.Equal(want.Locked) {
			t.Errorf("%+v %+v, want %+v (%v, %v)", state, c.State, want, err, err2)
		}
		list, err := s.Revocations(ctx)
		if err != nil || len(list) > 1 || len(list) == 1 && list[0].Reason != reason || len(list) == 0 && reason != "" {
			t.Errorf("%+v, want %q (%v)", list, reason, err)
		}
		for _, r := range list {
			if err := s.Revoked(ctx, r); err != nil {
				t.Error(err)
			}
		}
	}
	see(sasl.State{}, "")
	if err := s.LockAndRevoke(ctx, alice, until); err != nil {
		t.Fatal(err)
	}
	see(sasl.State{Locked: until}, Locked)
	if err := s.DisableAndRevoke(ctx, alice); err != nil {
		t.Fatal(err)
	}
	see(sasl.State{Disabled: true, Locked: until}, Disabled)
	if err := errors.Join(s.SetLocked(ctx, alice, until), s.SetDisabled(ctx, alice, true)); err != nil {
		t.Fatal(err)
	}
	see(sasl.State{Disabled: true, Locked: until}, "") // the caller ends the sessions
	if a, err := s.Account(ctx, alice); err != nil || !a.State().Disabled || !a.Locked.Equal(until) {
		t.Errorf("%+v %v", a, err)
	}
	if err := errors.Join(s.SetDisabled(ctx, alice, false), s.SetLocked(ctx, alice, time.Time{})); err != nil {
		t.Fatal(err)
	}
	see(sasl.State{}, "")
	if err := errors.Join(s.SetDisabled(ctx, alice, true), s.RemoveAccount(ctx, alice)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AccountState(ctx, alice); !errors.Is(err, ErrNoAccount) {
		t.Error(err)
	}
	for _, err := range []error{s.SetDisabled(ctx, alice, false), s.SetLocked(ctx, alice, until), s.SetLocked(ctx, bob, until)} {
		if !errors.Is(err, ErrNoAccount) {
			t.Error(err)
		}
	}
	if err := errors.Join(s.DeleteAccount(ctx, alice), s.CreateAccount(ctx, alice, sasl.Credentials{})); err != nil {
		t.Fatal(err)
	}
	see(sasl.State{}, "")
}

// The name of a deleted account cannot be registered for a time; the operator can create the account.
func TestDeletedNames(t *testing.T) {
	t.Parallel()
	s := open(t, Options{Limits: Limits{DeletedNames: time.Hour}})
	ctx := t.Context()
	account(t, s, alice, bob)
	if err := errors.Join(s.RemoveAccount(ctx, alice), s.DeleteAccount(ctx, alice)); err != nil {
		t.Fatal(err)
	}
	if err := s.RegisterAccount(ctx, alice, sasl.Credentials{}, nil); !errors.Is(err, ErrNameDeleted) {
		t.Error(err)
	}
	if err := s.Register(ctx, alice, "p"); !errors.Is(err, register.ErrTaken) {
		t.Error(err)
	}
	if err := s.RegisterAccount(ctx, carol, sasl.Credentials{}, nil); err != nil {
		t.Error(err)
	}
	account(t, s, alice)
	if err := errors.Join(s.RemoveAccount(ctx, alice), s.DeleteAccount(ctx, alice)); err != nil {
		t.Fatal(err)
	}
	s.SetLimits(Limits{})
	if err := s.RegisterAccount(ctx, alice, sasl.Credentials{}, nil); err != nil {
		t.Errorf("names are not kept: %v", err)
	}
	if err := s.RemoveAccount(ctx, bob); err != nil { // drops those that need not be kept
		t.Fatal(err)
	}
	var n int
	if err := s.reads.QueryRowContext(ctx, `SELECT count(*) FROM deleted_names`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d names (%v)", n, err)
	}
}

// A login reads the mark of the change that ends the sessions before it together with the credentials; each change has another mark.
func TestCredentialsHaveRevocation(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	ctx := t.Context()
	account(t, s, alice, bob)
	marks := map[int64]bool{0: true}
	for range 3 {
		if err := errors.Join(s.DisableAndRevoke(ctx, alice), s.SetDisabled(ctx, alice, false)); err != nil {
			t.Fatal(err)
		}
		c, err := s.Credentials(ctx, alice)
		list, err2 := s.Revocations(ctx)
		if err != nil || err2 != nil || len(list) != 1 || list[0].Mark != c.Revocation || marks[c.Revocation] {
			t.Fatalf("%+v %+v %v (%v, %v)", c, list, marks, err, err2)
		}
		marks[c.Revocation] = true
	}
	if c, err := s.Credentials(ctx, bob); err != nil || c.Revocation != 0 {
		t.Errorf("%+v %v", c, err)
	}
	list, err := s.Revocations(ctx)
	if err != nil || s.Revoked(ctx, list[0]) != nil {
		t.Fatal(err)
	}
	if c, err := s.Credentials(ctx, alice); err != nil || c.Revocation != 0 {
		t.Errorf("%+v %v", c, err)
	}
}
