package authentication

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/features/clients"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
)

// byKey is what somebody has proved who knows the password.
func byKey(c sasl.Credentials) sasl.Proved {
	return sasl.Proved{Hash: sasl.SHA256, StoredKey: c.Keys[sasl.SHA256].StoredKey}
}

func token(seed string, expires time.Time) sasl.Token {
	return sasl.Token{Mechanism: sasl.HTNone, Seed: []byte(seed), Issued: time.UnixMicro(1), Expires: expires, Fresh: true}
}

// What is issued, used and revoked.
func TestTokens(t *testing.T) {
	t.Parallel()
	s, ctx := open(t), t.Context()
	now := time.Unix(1_000_000, 0)
	a := New(s, jid.MustParse("example.org"), Options{Limits: Limits{Clients: 2, Keep: time.Hour}})
	a.now = func() time.Time { return now }
	ann, c := jid.MustParse("ann@example.org"), made(t, 10)
	if err := s.CreateAccount(ctx, ann, c); err != nil {
		t.Fatal(err)
	}
	agent := sasl.UserAgent{ID: "phone", Software: "Soft", Device: "Ware"}
	seeds := func(want string) {
		t.Helper()
		list, err := a.Tokens(ctx, "ann", "phone")
		got := ""
		for _, k := range list {
			got += fmt.Sprintf(" %s %v %d", k.Seed, k.Fresh, k.Count)
		}
		if got != want || err != nil {
			t.Errorf("tokens%s, not%s (%v)", got, want, err)
		}
	}
	issue := func(seed string, p sasl.Proved, want error) {
		t.Helper()
		if err := a.Issue(ctx, "ann", agent, token(seed, now.Add(time.Hour)), p); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("issue %s: %v, not %v", seed, err, want)
		}
	}
	issue("one", byKey(c), nil)
	issue("two", byKey(c), nil) // replaces what was not used
	seeds(" two true 0")
	use := func(seed string, before, count uint64, invalidate bool, want error) {
		t.Helper()
		k := token(seed, now.Add(time.Hour))
		k.Count = before
		if err := a.Use(ctx, "ann", "phone", sasl.Use{Token: k, Count: count, Invalidate: invalidate}); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("use %s: %v, not %v", seed, err, want)
		}
	}
	use("one", 0, 0, false, sasl.ErrTokenGone)
	use("two", 0, 3, false, nil)
	use("two", 0, 4, false, sasl.ErrTokenGone) // another login was quicker
	seeds(" two false 3")
	issue("three", sasl.Proved{Seed: []byte("one")}, sasl.ErrTokenGone)
	issue("three", sasl.Proved{Seed: []byte("two")}, nil)
	seeds(" two false 3 three true 0")
	use("three", 0, 0, false, nil)
	seeds(" three false 0")
	use("three", 0, 0, true, nil)
	seeds("")

	// A new password ends what the old one has proved.
	issue("four", byKey(c), nil)
	if err := s.SetCredentials(ctx, ann, made(t, 10)); err != nil {
		t.Fatal(err)
	}
	seeds("")
	issue("five", byKey(c), sasl.ErrTokenGone)
	c, err := s.Credentials(ctx, ann)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetDisabled(ctx, ann, true); err != nil {
		t.Fatal(err)
	}
	issue("five", byKey(c), sasl.ErrTokenGone)
	seeds("")
}

// After the life of tokens was made shorter, a new token expires before the one in use: it takes its place all the same.
func TestTokenWithShorterLife(t *testing.T) {
	t.Parallel()
	s, ctx := open(t), t.Context()
	a := New(s, jid.MustParse("example.org"), Options{})
	ann, c := jid.MustParse("ann@example.org"), made(t, 10)
	if err := s.CreateAccount(ctx, ann, c); err != nil {
		t.Fatal(err)
	}
	now, agent := time.Now(), sasl.UserAgent{ID: "phone"}
	long, short := token("long", now.Add(30*24*time.Hour)), token("short", now.Add(time.Hour))
	for _, k := range []sasl.Token{long, short} {
		if err := a.Issue(ctx, "ann", agent, k, byKey(c)); err != nil {
			t.Fatal(err)
		}
		if err := a.Use(ctx, "ann", "phone", sasl.Use{Token: k}); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := a.Tokens(ctx, "ann", "phone"); err != nil || len(list) != 1 || string(list[0].Seed) != "short" || list[0].Fresh {
		t.Errorf("%+v %v", list, err)
	}
}

// Whom an account's owner sees, and whose access ends.
func TestClients(t *testing.T) {
	t.Parallel()
	s, ctx := open(t), t.Context()
	now := time.Unix(1_000_000, 0)
	a := New(s, jid.MustParse("example.org"), Options{Limits: Limits{Clients: 2, Keep: time.Hour}})
	a.now = func() time.Time { return now }
	ann, c := jid.MustParse("ann@example.org"), made(t, 10)
	if err := s.CreateAccount(ctx, ann, c); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"desk", "phone", "tablet"} {
		now = now.Add(time.Minute)
		if err := a.Issue(ctx, "ann", sasl.UserAgent{ID: id, Software: "Soft"}, token(id, now.Add(time.Hour)), byKey(c)); err != nil {
			t.Fatal(err)
		}
	}
	a.LoggedIn(sasl.Identity{JID: jid.MustParse("bob@example.org"), Mechanism: sasl.Plain}, sasl.UserAgent{ID: "desk"}) // there is no such account
	a.LoggedIn(sasl.Identity{JID: ann, Mechanism: sasl.OAuthBearer}, sasl.UserAgent{ID: "phone", Device: "Ware"})
	list, err := a.Clients(ctx, ann)
	for limit := time.Now().Add(10 * time.Second); err == nil && len(list) == 2 && !list[1].Grant && !list[0].Grant && time.Now().Before(limit); {
		list, err = a.Clients(ctx, ann)
	}
	if err != nil || len(list) != 2 || a.Limited().Load() != 1 {
		t.Fatalf("%+v %v, %d forgotten", list, err, a.Limited().Load())
	}
	phone := list[0]
	if phone.Agent != "phone" {
		phone = list[1]
	}
	if phone.ID == "phone" || phone.Password || !phone.Grant || !phone.Token || phone.Device != "Ware" || !phone.Last.Equal(now) || phone.First.Equal(now) {
		t.Errorf("%+v", phone)
	}
	if _, err := a.Revoke(ctx, ann, "phone"); !errors.Is(err, clients.ErrNoClient) {
		t.Error(err)
	}
	if _, err := a.Revoke(ctx, jid.MustParse("bob@example.org"), phone.ID); !errors.Is(err, clients.ErrNoClient) {
		t.Error(err)
	}
	if agent, err := a.Revoke(ctx, ann, phone.ID); agent != "phone" || err != nil {
		t.Error(agent, err)
	}
	if left, err := a.Tokens(ctx, "ann", "phone"); len(left) != 0 || err != nil {
		t.Error(left, err)
	}
	list, err = a.Clients(ctx, ann)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if _, err := a.Revoke(ctx, ann, list[0].ID); !errors.Is(err, clients.ErrPassword) {
		t.Error(err)
	}
	for _, after := range []struct {
		at   time.Time
		want int
	}{{now, 1}, {now.Add(30 * time.Minute), 1}, {now.Add(2 * time.Hour), 0}} {
		if err := Prune(ctx, s, after.at, after.at); err != nil {
			t.Fatal(err)
		}
		if list, err := a.Clients(ctx, ann); err != nil || len(list) != after.want {
			t.Errorf("%v: %v %v", after.at, list, err)
		}
	}
}
