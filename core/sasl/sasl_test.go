package sasl

import (
	"context"
	"errors"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
)

// users is Accounts in memory.
type users map[string]Credentials

func (u users) Lookup(_ context.Context, name string) (Credentials, error) {
	c, ok := u[name]
	if !ok {
		return Credentials{}, ErrUnknownUser
	}
	return c, nil
}

func (u users) Shares(context.Context) ([]Share, error) {
	n := map[Shape]int{}
	for _, c := range u {
		n[c.Shape()]++
	}
	var out []Share
	for shape, accounts := range n {
		out = append(out, Share{shape, accounts})
	}
	return out, nil
}

var secret = []byte("0123456789abcdef0123456789abcdef")

func server(t testing.TB, u Accounts) *Server {
	t.Helper()
	s, err := NewServer(Config{Host: jid.MustParse("example.org"), Accounts: u, Secret: secret, Iterations: 4096})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func credentials(t testing.TB, password string) Credentials {
	t.Helper()
	c, err := NewCredentials(password, 4096)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func is(err error, c Condition) bool { return errors.Is(err, &Failure{Condition: c}) }
