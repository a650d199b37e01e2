package recorder

import (
	"context"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
)

// Link goes through a login that wants one form filled in, and returns the new account.
func Link(t testing.TB, n transports.Network, flow string, answers map[string]string) transports.Account {
	t.Helper()
	login, err := n.StartLogin(t.Context(), flow, nil)
	if err != nil {
		t.Fatal(err)
	}
	step, err := login.Next(t.Context(), answers)
	if err != nil {
		t.Fatal(err)
	}
	if step.Done == nil {
		t.Fatalf("the login is not done: %+v", step)
	}
	step.Done.ID = "a1"
	return *step.Done
}

// Open opens an account for as long as the test lasts, and waits until it is online.
func Open(t testing.TB, n transports.Network, account transports.Account) (transports.Session, *Sink) {
	t.Helper()
	k := New()
	s, err := n.Open(t.Context(), account, k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	k.Await(t, "online", func() bool { return k.Reached == transports.Online })
	return s, k
}
