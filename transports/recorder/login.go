package recorder

import (
	"context"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
)

// Link goes through a login that wants one form filled in, and returns the new login.
func Link(t testing.TB, n transports.Network, flow string, answers map[string]string) transports.Login {
	t.Helper()
	process, err := n.StartLogin(t.Context(), transports.LoginRequest{Flow: flow, Owner: "o1"})
	if err != nil {
		t.Fatal(err)
	}
	step, err := process.Next(t.Context(), answers)
	if err != nil {
		t.Fatal(err)
	}
	if step.Done == nil {
		t.Fatalf("the login is not done: %+v", step)
	}
	step.Done.ID = "a1"
	return *step.Done
}

// Open opens a login for as long as the test lasts, and waits until it is online.
func Open(t testing.TB, n transports.Network, login transports.Login) (transports.Client, *Sink) {
	t.Helper()
	k := New()
	s := OpenWith(t, n, login, k)
	k.Await(t, "online", func() bool { return k.Reached == transports.Online })
	return s, k
}

// OpenWith opens a login with a sink of the caller's, and does not wait.
func OpenWith(t testing.TB, n transports.Network, login transports.Login, k transports.Sink) transports.Client {
	t.Helper()
	s, err := n.Open(t.Context(), login, k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}
