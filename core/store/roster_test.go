package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-im/dragoman/core/features/private"
	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func change(t testing.TB, s *Store, contact jid.JID) {
	t.Helper()
	err := s.ChangeRoster(t.Context(), alice, contact, func(e *roster.Entry) error {
		e.Listed, e.Name, e.Groups, e.Subscription = true, "N", []string{"a", "b"}, roster.Both
		return nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
}

func TestRoster(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, Options{Path: path})
	ctx := t.Context()
	account(t, s, alice, bob)
	change(t, s, carol)
	change(t, s, bob)
	st := stanza.NewPresence(alice, carol, stanza.TypeSubscribe, stanza.TextElement("urn:x", "x", "y"))
	var changes []roster.Change
	err := s.ChangeRoster(ctx, alice, carol, func(e *roster.Entry) error {
		e.Groups, e.Ask, e.Approved, e.Request, e.Subscription = []string{"c"}, true, true, st, roster.From
		return nil
	}, func(c roster.Change) { changes = append(changes, c) })
	if err != nil || len(changes) != 1 || changes[0].Before.Ask || !changes[0].After.Ask {
		t.Fatal(changes, err)
	}
	s = open(t, Options{Path: path}) // all of it is on the disk
	items, version, err := s.Roster(ctx, alice, "")
	want := []roster.Item{
		{JID: bob, Name: "N", Groups: []string{"a", "b"}, Subscription: roster.Both},
		{JID: carol, Name: "N", Groups: []string{"c"}, Subscription: roster.From, Ask: true, Approved: true},
	}
	sameJID := cmp.Comparer(func(a, b jid.JID) bool { return a == b })
	if diff := cmp.Diff(want, items, sameJID); err != nil || diff != "" || version != changes[0].Version {
		t.Errorf("%s, version %s %s, %v", diff, version, changes[0].Version, err)
	}
	if list, err := s.RosterContacts(ctx, alice); err != nil || len(list) != 2 || list[0].JID != bob || list[1].Subscription != roster.From {
		t.Error(list, err)
	}
	e, err := s.RosterEntry(ctx, alice, carol)
	if diff := cmp.Diff(want[1], e.Item, sameJID); err != nil || diff != "" || !e.Listed || e.Request.String() != st.String() {
		t.Error(diff, e.Request, err)
	}
	if list, err := s.RosterRequests(ctx, alice); err != nil || len(list) != 1 || list[0].String() != st.String() {
		t.Error(list, err)
	}
	if e, err := s.RosterEntry(ctx, bob, alice); err != nil || e.Listed || e.Request != nil || e.JID != alice || e.Subscription != roster.None {
		t.Error(e, err)
	}
	mine := errors.New("mine")
	err = s.ChangeRoster(ctx, alice, carol, func(e *roster.Entry) error { e.Name = "other"; return mine }, func(roster.Change) { t.Error("committed") })
	if again, _, _ := s.Roster(ctx, alice, ""); !errors.Is(err, mine) || cmp.Diff(want, again, sameJID) != "" {
		t.Error(again, err)
	}
	err = s.ChangeRoster(ctx, carol, bob, func(e *roster.Entry) error { e.Listed = true; return nil }, nil)
	if !errors.Is(err, roster.ErrNoAccount) {
		t.Error(err)
	}
	if _, _, err := s.Roster(ctx, carol, ""); !errors.Is(err, roster.ErrNoAccount) {
		t.Error(err)
	}
}

// Changes are announced in the order of their versions.
func TestRosterChangesAreInOrder(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice)
	const n = 200
	var versions []roster.Version
	done := make(chan error, n)
	for i := range n {
		go func() {
			done <- s.ChangeRoster(t.Context(), alice, carol, func(e *roster.Entry) error {
				e.Listed, e.Name = true, fmt.Sprint(i)
				return nil
			}, func(c roster.Change) { versions = append(versions, c.Version) })
		}()
	}
	for range n {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	for i := range n - 1 {
		if versions[i] >= versions[i+1] {
			t.Fatalf("%s before %s", versions[i], versions[i+1])
		}
	}
	if items, v, err := s.Roster(t.Context(), alice, versions[n-1]); err != nil || v != versions[n-1] || items != nil {
		t.Error(items, v, err)
	}
}

// A roster is bounded as a whole: what no single item may say too much of. What is too much leaves
// everything as it was, and a full roster can still be made smaller.
func TestRosterBytes(t *testing.T) {
	t.Parallel()
	const size = 1000
	s := open(t, Options{Limits: Limits{RosterBytes: size}})
	account(t, s, alice, bob)
	put := func(account, contact jid.JID, name string, groups ...string) error {
		return s.ChangeRoster(t.Context(), account, contact, func(e *roster.Entry) error {
			e.Listed, e.Name, e.Groups = true, name, groups
			return nil
		}, nil)
	}
	var short []string
	for i := range size / 20 {
		short = append(short, fmt.Sprint(i))
	}
	fits := strings.Repeat("ü", (size-len(carol.String())-20-1)/2) // counted in bytes
	if err := put(alice, carol, "n", fits); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"another contact":   put(alice, bob, ""),
		"a longer name":     put(alice, carol, "nam", fits),
		"one more group":    put(alice, carol, "n", fits, "g"),
		"many short groups": put(bob, carol, "", short...),
	} {
		if !errors.Is(err, roster.ErrFull) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if items, _, err := s.Roster(t.Context(), alice, ""); err != nil || len(items) != 1 || len(items[0].Groups) != 1 {
		t.Error(items, err)
	}
	if s.Counters.RosterBytes.Load() != 4 {
		t.Error("not counted")
	}
	if err := errors.Join(put(alice, carol, "n"), put(alice, bob, "n", "g")); err != nil {
		t.Error(err)
	}
}

func TestPrivateIsAllOrNothing(t *testing.T) {
	t.Parallel()
	s := open(t, Options{Limits: Limits{PrivateItems: 2}})
	ctx := t.Context()
	account(t, s, alice)
	items := func(names ...string) (list []private.Item) {
		for _, n := range names {
			list = append(list, private.Item{Space: "urn:x", Name: n, XML: "<" + n + " xmlns='urn:x'/>"})
		}
		return list
	}
	if err := s.SetPrivate(ctx, alice, items("a")); err != nil {
		t.Fatal(err)
	}
	if err := s.SetPrivate(ctx, alice, items("b", "c")); !errors.Is(err, private.ErrFull) {
		t.Error(err)
	}
	for name, want := range map[string]string{"a": "<a xmlns='urn:x'/>", "b": ""} {
		if got, err := s.Private(ctx, alice, "urn:x", name); got != want || err != nil {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
}
