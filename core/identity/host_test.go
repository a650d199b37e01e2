package identity

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// accounts is Accounts in memory.
type accounts struct {
	mu     sync.Mutex
	owners map[string]Owner
	keys   map[string]sasl.Credentials
	broken error
}

func newAccounts(t *testing.T, own ...string) *accounts {
	a := &accounts{owners: map[string]Owner{}, keys: map[string]sasl.Credentials{}}
	for _, name := range own {
		c, err := sasl.NewCredentials("own", 1)
		if err != nil {
			t.Fatal(err)
		}
		a.owners[name], a.keys[name] = Owner{}, c
	}
	return a
}

func (a *accounts) Lookup(_ context.Context, username string) (sasl.Credentials, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.owners[username]; !ok {
		return sasl.Credentials{}, sasl.ErrUnknownUser
	}
	return a.keys[username], nil
}

func (a *accounts) Owner(_ context.Context, username string) (Owner, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	o, ok := a.owners[username]
	if !ok {
		return o, errors.Join(a.broken, sasl.ErrUnknownUser)
	}
	return o, a.broken
}

func (a *accounts) Account(_ context.Context, o Owner) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for name, other := range a.owners {
		if o == other {
			return name, nil
		}
	}
	return "", sasl.ErrUnknownUser
}

func (a *accounts) Create(_ context.Context, username string, o Owner) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.owners[username]; ok {
		return ErrTaken
	}
	for _, other := range a.owners {
		if o == other {
			return ErrHasAccount
		}
	}
	a.owners[username] = o
	return nil
}

// directory is a back end in memory: passwords by name, subjects by name, people by token.
type directory struct {
	passwords, subjects map[string]string
	tokens              map[string]Person
	down                error
	asked               int
}

func (d *directory) CheckPassword(_ context.Context, username, password string) (Person, error) {
	d.asked++
	switch known, ok := d.passwords[username]; {
	case d.down != nil:
		return Person{}, d.down
	case !ok || known != password:
		return Person{}, sasl.ErrRefused
	}
	if s, ok := d.subjects[username]; ok {
		return Person{Subject: s, Name: username}, nil
	}
	return Person{Subject: username, Name: username}, nil
}

func (d *directory) CheckToken(_ context.Context, token string) (Person, error) {
	d.asked++
	p, ok := d.tokens[token]
	if !ok {
		return p, errors.Join(d.down, sasl.ErrRefused)
	}
	return p, d.down
}

func (d *directory) Discovery() sasl.Discovery {
	return sasl.Discovery{Configuration: "https://login.example.org"}
}

func newHost(a *accounts, own bool, list ...Backend) *Host {
	return New(jid.MustParse("example.org"), Options{
		Accounts: a, Backends: list, Own: own, Log: slog.New(slog.DiscardHandler),
		Reserved: func(j jid.JID) bool { return j.Local() == "admin" },
	})
}

// A name that two back ends know gives nobody the account of the other one.
func TestAccountBelongsToOneBackend(t *testing.T) {
	t.Parallel()
	a := newAccounts(t, "ann")
	first := &directory{passwords: map[string]string{"ann": "first", "bob": "first"}}
	second := &directory{passwords: map[string]string{"ann": "second", "bob": "second", "carol": "second"}}
	h := newHost(a, true, Backend{Name: "first", Passwords: first}, Backend{Name: "second", Passwords: second})
	for _, c := range []struct{ name, password, backend string }{
		{"ann", "first", "-"}, {"ann", "second", "-"}, {"ann", "own", ""},
		{"bob", "first", "first"}, {"bob", "second", "-"}, {"bob", "first", "first"},
		{"carol", "second", "second"}, {"carol", "wrong", "-"}, {"dora", "own", "-"},
		{"Bob", "first", "-"}, {"", "first", "-"}, {"a@b", "first", "-"}, {"bob/x", "first", "-"},
	} {
		p, err := h.CheckPassword(t.Context(), c.name, c.password)
		if refused := errors.Is(err, sasl.ErrRefused); refused != (c.backend == "-") || !refused && (err != nil || p.Backend != c.backend || p.Username != c.name) {
			t.Errorf("%q %q: %+v, %v", c.name, c.password, p, err)
		}
	}
	h = newHost(a, false, Backend{Name: "second", Passwords: second})
	asked := second.asked
	for _, c := range [][2]string{{"ann", "own"}, {"bob", "second"}} {
		if _, err := h.CheckPassword(t.Context(), c[0], c[1]); !errors.Is(err, sasl.ErrRefused) {
			t.Errorf("%v: %v", c, err)
		}
	}
	if second.asked != asked {
		t.Error("a back end was asked for an account of another one")
	}
}

// A back end that does not answer may know the name: none after it gets the account.
func TestSilentBackendKeepsItsNames(t *testing.T) {
	t.Parallel()
	a := newAccounts(t, "ann")
	first := &directory{passwords: map[string]string{"bob": "first"}, down: errors.New("no route")}
	second := &directory{passwords: map[string]string{"bob": "second", "carol": "second"}}
	if err := a.Create(t.Context(), "carol", Owner{"second", "carol"}); err != nil {
		t.Fatal(err)
	}
	h := newHost(a, true, Backend{Name: "first", Passwords: first}, Backend{Name: "second", Passwords: second})
	if _, err := h.CheckPassword(t.Context(), "bob", "second"); err == nil || errors.Is(err, sasl.ErrRefused) || second.asked != 0 {
		t.Error(err)
	}
	for _, c := range [][2]string{{"ann", "own"}, {"carol", "second"}} { // of those that answer
		if _, err := h.CheckPassword(t.Context(), c[0], c[1]); err != nil {
			t.Errorf("%v: %v", c, err)
		}
	}
}

// The person whom a back end gives somebody's name later does not get the account.
func TestNameOfSomebodyElse(t *testing.T) {
	t.Parallel()
	d := &directory{passwords: map[string]string{"bob": "pw", "robert": "pw"}, subjects: map[string]string{"bob": "id 1", "robert": "id 1"}}
	h := newHost(newAccounts(t), true, Backend{Name: "d", Passwords: d})
	if _, err := h.CheckPassword(t.Context(), "bob", "pw"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.CheckPassword(t.Context(), "robert", "pw"); !errors.Is(err, sasl.ErrRefused) { // the same person
		t.Error(err)
	}
	d.subjects["bob"] = "id 2"
	if _, err := h.CheckPassword(t.Context(), "bob", "pw"); !errors.Is(err, sasl.ErrRefused) {
		t.Error(err)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	a := newAccounts(t, "ann")
	end := time.Unix(1e10, 0)
	d := &directory{tokens: map[string]Person{
		"bob":     {Subject: "1", Name: "bob", Expires: end},
		"renamed": {Subject: "1", Name: "rob"},
		"new bob": {Subject: "2", Name: "bob"},
		"ann":     {Subject: "3", Name: "Ann"}, // has the name of an account whose keys are kept here
		"admin":   {Subject: "4", Name: "admin"},
		"wrong":   {Subject: "5", Name: "a@b"},
		"rob":     {Subject: "6", Name: "rob"},
	}}
	h := newHost(a, true, Backend{Name: "d", Tokens: d, Free: true})
	for _, c := range []struct{ token, want string }{
		{"bob", "bob"}, {"bob", "bob"}, {"renamed", "bob"}, {"new bob", "bob-d4735e3a"}, {"bob", "bob"}, {"new bob", "bob-d4735e3a"},
		{"ann", "ann-4e074085"}, {"admin", "admin-4b227777"}, {"wrong", ""}, {"nothing", ""}, {"rob", "rob"},
	} {
		p, err := h.CheckToken(t.Context(), c.token)
		if p.Username != c.want || (err == nil) != (c.want != "") || err != nil && !errors.Is(err, sasl.ErrRefused) {
			t.Errorf("%s: %+v, %v", c.token, p, err)
		}
		if c.token == "bob" && !p.Expires.Equal(end) {
			t.Error("the end is lost")
		}
	}
	// The name made of a subject can be taken on purpose: nobody else gets it.
	d.tokens["trap"] = Person{Subject: "7", Name: "eve-7902699b"}
	d.tokens["eve"], d.tokens["other eve"] = Person{Subject: "8", Name: "eve"}, Person{Subject: "7x", Name: "eve"}
	for token, want := range map[string]string{"trap": "eve-7902699b", "eve": "eve"} {
		if p, err := h.CheckToken(t.Context(), token); err != nil || p.Username != want {
			t.Errorf("%s: %+v %v", token, p, err)
		}
	}
	d.down = errors.New("no route")
	if _, err := h.CheckToken(t.Context(), "bob"); err == nil || errors.Is(err, sasl.ErrRefused) {
		t.Error(err)
	}
}

// Whoever logs in twice at the same time for the first time has one account.
func TestFirstLoginsAtOnce(t *testing.T) {
	t.Parallel()
	a := newAccounts(t)
	d := &fixed{Person{Subject: "1", Name: "bob"}}
	h := newHost(a, true, Backend{Name: "d", Tokens: d, Passwords: d, Finder: d})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if p, err := h.CheckPassword(context.Background(), "bob", "x"); err != nil || p.Username != "bob" {
				t.Errorf("%+v %v", p, err)
			}
		})
		wg.Go(func() {
			if found, err := h.Find(context.Background(), "bob"); err != nil || !found {
				t.Error(found, err)
			}
		})
		wg.Go(func() {
			if p, err := h.CheckToken(context.Background(), "x"); err != nil || p.Username != "bob" {
				t.Errorf("%+v %v", p, err)
			}
		})
	}
	wg.Wait()
}

// fixed accepts every token, as one person's.
type fixed struct{ Person }

func (f *fixed) CheckToken(context.Context, string) (Person, error)            { return f.Person, nil }
func (f *fixed) CheckPassword(context.Context, string, string) (Person, error) { return f.Person, nil }
func (f *fixed) Find(context.Context, string) (Person, error)                  { return f.Person, nil }
func (f *fixed) Discovery() sasl.Discovery                                     { return sasl.Discovery{} }

func TestConfigure(t *testing.T) {
	t.Parallel()
	d := &directory{}
	for _, c := range []struct {
		host                          *Host
		passwords, tokens, onlyTokens bool
	}{
		{newHost(nil, true), false, false, false},
		{newHost(nil, true, Backend{Name: "p", Passwords: d}), true, false, false},
		{newHost(nil, false, Backend{Name: "p", Passwords: d}), true, false, false},
		{newHost(nil, true, Backend{Name: "t", Tokens: d}), false, true, false},
		{newHost(nil, false, Backend{Name: "t", Tokens: d}), false, true, true},
		{newHost(nil, false, Backend{Name: "t", Tokens: d}, Backend{Name: "p", Passwords: d}), true, true, false},
	} {
		var s sasl.Config
		c.host.Configure(&s)
		if (s.Passwords != nil) != c.passwords || (s.Tokens != nil) != c.tokens || s.OnlyTokens != c.onlyTokens {
			t.Errorf("%+v", s)
		}
	}
}

// Finder of a directory.
func (d *directory) Find(_ context.Context, username string) (Person, error) {
	d.asked++
	if _, ok := d.passwords[username]; !ok || d.down != nil {
		return Person{}, cmp.Or(d.down, sasl.ErrRefused)
	}
	return Person{Subject: username, Name: username}, nil
}

func TestFind(t *testing.T) {
	t.Parallel()
	a := newAccounts(t)
	d := &directory{passwords: map[string]string{"bob": "pw", "carol": "pw"}}
	h := newHost(a, true, Backend{Name: "d", Passwords: d, Finder: d})
	for name, want := range map[string]bool{"bob": true, "nobody": false, "": false} {
		if got, err := h.Find(t.Context(), name); got != want || err != nil {
			t.Error(name, got, err)
		}
	}
	if p, err := h.CheckPassword(t.Context(), "bob", "pw"); err != nil || p.Backend != "d" {
		t.Error("the account that was found is not bob's", err)
	}
	d.down = errors.New("no route")
	if got, err := h.Find(t.Context(), "carol"); got || err != nil {
		t.Error(got, err)
	}
	d.asked = 0
	for range 10 * findBurst {
		if _, err := h.Find(t.Context(), "guess"); err != nil {
			t.Fatal(err)
		}
	}
	if d.asked > 5*findBurst {
		t.Errorf("%d questions", d.asked)
	}
	if !h.Finds() || newHost(a, true, Backend{Name: "d", Passwords: d}).Finds() {
		t.Error("Finds")
	}
}

// finder is a Finder in memory: subjects by name.
type finder struct {
	subjects map[string]string
	down     error
}

func (f finder) Find(_ context.Context, username string) (Person, error) {
	s, ok := f.subjects[username]
	switch {
	case f.down != nil:
		return Person{}, f.down
	case !ok:
		return Person{}, sasl.ErrRefused
	}
	return Person{Subject: s, Name: username}, nil
}

// Whether the person of an account is still there decides over tokens (XEP-0484).
func TestStillKnown(t *testing.T) {
	t.Parallel()
	a := newAccounts(t)
	a.owners["ann"], a.owners["bob"], a.owners["eve"] = Owner{"ldap", "1"}, Owner{"ldap", "2"}, Owner{"oidc", "3"}
	checker := &finder{subjects: map[string]string{"ann": "1", "bob": "9"}}
	h := newHost(a, true, Backend{Name: "ldap", Checker: checker}, Backend{Name: "oidc"})
	for _, c := range []struct {
		name, backend string
		want          error
	}{
		{"ann", "ldap", nil},
		{"bob", "ldap", sasl.ErrRefused},    // somebody else has the name now
		{"nobody", "ldap", sasl.ErrRefused}, // gone
		{"eve", "oidc", nil},                // cannot be asked
		{"eve", "removed", sasl.ErrRefused}, // not configured any more
	} {
		if err := h.StillKnown(t.Context(), c.name, c.backend); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s of %s: %v, not %v", c.name, c.backend, err, c.want)
		}
	}
	checker.down = errors.New("down")
	if err := h.StillKnown(t.Context(), "ann", "ldap"); err == nil || errors.Is(err, sasl.ErrRefused) {
		t.Error(err)
	}
}

// Card of a directory: everybody has one.
func (d *directory) Card(_ context.Context, username string) (Card, error) {
	d.asked++
	if d.down != nil {
		return Card{}, d.down
	}
	return Card{Subject: cmp.Or(d.subjects[username], username), Element: stanza.NewElement("vcard-temp", "vCard"), Prevails: true}, nil
}

// TestCard shows vCards of the back end to whom an account belongs, to those who may see them.
func TestCard(t *testing.T) {
	t.Parallel()
	a := newAccounts(t, "ann")
	d, other := &directory{subjects: map[string]string{}}, &directory{}
	for name, backend := range map[string]string{"bob": "d", "carol": "other", "dora": "gone", "eve": "d"} {
		if err := a.Create(t.Context(), name, Owner{backend, name}); err != nil {
			t.Fatal(err)
		}
	}
	d.subjects["eve"] = "somebody else"
	h := newHost(a, true, Backend{Name: "d", Cards: d}, Backend{Name: "other", Cards: other, PublicCards: true})
	for _, c := range []struct {
		account, reader string
		want            bool
	}{
		{"bob", "ann@example.org", true}, {"bob", "bob@example.org", true}, {"bob", "ann@elsewhere.example", false}, {"bob", "example.org", false},
		{"bob", "room@chat.example.org", false}, {"carol", "ann@elsewhere.example", true}, {"ann", "bob@example.org", false},
		{"dora", "ann@example.org", false}, {"eve", "ann@example.org", false}, {"nobody", "ann@example.org", false},
	} {
		card, prevails, err := h.Card(t.Context(), jid.MustParse(c.account+"@example.org"), jid.MustParse(c.reader))
		if (card != nil) != c.want || prevails != c.want || err != nil {
			t.Errorf("%s for %s: %v %t %v", c.account, c.reader, card, prevails, err)
		}
	}
	asked := d.asked
	if _, _, err := h.Card(t.Context(), jid.MustParse("bob@example.org"), jid.MustParse("ann@elsewhere.example")); err != nil || d.asked != asked {
		t.Error("strangers cause questions", err)
	}
	d.down = errors.New("no route")
	if card, _, err := h.Card(t.Context(), jid.MustParse("bob@example.org"), jid.MustParse("ann@example.org")); card != nil || err != nil {
		t.Error("a back end that is away:", card, err)
	}
}
