package nodes

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

var (
	alice   = jid.MustParse("alice@example.org")
	bob     = jid.MustParse("bob@example.org")
	service = jid.MustParse("pubsub.example.org")
)

func open(t *testing.T, accounts ...jid.JID) (*Nodes, *store.Store) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: storetest.URL(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	n := New(s)
	for _, a := range accounts {
		if err := s.CreateAccount(t.Context(), a, sasl.Credentials{}); err != nil {
			t.Fatal(err)
		}
	}
	return n, s
}

func (s *Nodes) write(t *testing.T, at jid.JID, c pubsub.Change) pubsub.Result {
	t.Helper()
	if err := s.Write(t.Context(), at, &c); err != nil {
		t.Fatal(err)
	}
	return c.Result
}

func node(name string, owner jid.JID) *pubsub.Node {
	return &pubsub.Node{Name: name, Config: pubsub.ServiceDefaults(), Creator: owner, Created: time.Unix(1000, 0).UTC(),
		Affiliations: map[jid.JID]pubsub.Affiliation{owner: pubsub.Owner}}
}

func create(n *pubsub.Node) pubsub.Change {
	return pubsub.Change{Node: n.Name, Put: n, Create: true, Affiliations: n.Affiliations}
}

func item(node, id string, keep int) pubsub.Change {
	return pubsub.Change{Node: node, Item: &pubsub.Item{ID: id, Publisher: alice, Payload: "<x xmlns='y'/>", At: time.Now()}, Keep: keep}
}

func (s *Nodes) ids(t *testing.T, q pubsub.Query) string {
	t.Helper()
	page, err := s.Items(t.Context(), service, q)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, i := range page.Items {
		ids = append(ids, i.ID)
	}
	return strings.Join(ids, " ")
}

func all(node string) pubsub.Query {
	page := paging.All()
	page.Max = 100
	return pubsub.Query{Node: node, Page: page, Bytes: 1 << 20}
}

// What is written is read again, and the oldest items make room.
func TestNodes(t *testing.T) {
	t.Parallel()
	s, _ := open(t, alice, bob)
	s.write(t, service, create(node("n", alice)))
	s.write(t, service, pubsub.Change{Node: "n", Subscriptions: []pubsub.Subscription{{JID: bob, ID: "1", State: pubsub.Pending, Mute: true}}})
	for i, want := range []string{"", "", "", "[i0]", "[i1]"} {
		if got := s.write(t, service, item("n", fmt.Sprint("i", i), 3)); want != "" && fmt.Sprint(got.Removed) != want {
			t.Errorf("%d: removed %v", i, got.Removed)
		}
	}
	s.write(t, service, item("n", "i2", 3)) // published again: it is the newest
	if got := s.ids(t, all("n")); got != "i3 i4 i2" {
		t.Error(got)
	}
	got, err := s.Nodes(t.Context(), service)
	if err != nil || got.Len() != 1 {
		t.Fatal(got, err)
	}
	n := got.Get("n")
	if n.Config.Access != pubsub.Open || n.Creator != alice || !n.Created.Equal(time.Unix(1000, 0)) || n.Affiliation(alice) != pubsub.Owner ||
		len(n.Subscriptions) != 1 || n.Subscriptions[0] != (pubsub.Subscription{JID: bob, ID: "1", State: pubsub.Pending, Mute: true}) {
		t.Errorf("%+v", n)
	}
	if r := s.write(t, service, pubsub.Change{Node: "n", Retract: "i3"}); !r.Retracted {
		t.Error("not retracted")
	}
	if r := s.write(t, service, pubsub.Change{Node: "n", Retract: "i3"}); r.Retracted {
		t.Error("retracted twice")
	}
	expiring := item("n", "i5", 3)
	expiring.Expired = time.Now().Add(time.Hour)
	if r := s.write(t, service, expiring); len(r.Removed) != 3 { // the others, and itself
		t.Error(r)
	}
	if bytes, err := s.Bytes(t.Context(), service); err != nil || bytes != 0 {
		t.Error(bytes, err)
	}
	s.write(t, service, pubsub.Change{Node: "n", Delete: true})
	if got, err := s.Nodes(t.Context(), service); err != nil || got.Len() != 0 {
		t.Error(got, err)
	}
}

// A page has the items that fit, and one at least.
func TestPageSize(t *testing.T) {
	t.Parallel()
	s, _ := open(t, alice)
	s.write(t, service, create(node("n", alice)))
	for i := range 4 {
		s.write(t, service, item("n", fmt.Sprint(i), 10))
	}
	q := all("n")
	for bytes, want := range map[int]string{1: "0", len("<x xmlns='y'/>") * 3: "0 1 2", pubsub.NoPayload: "0 1 2 3"} {
		if q.Bytes = bytes; s.ids(t, q) != want {
			t.Errorf("%d bytes: %s", bytes, s.ids(t, q))
		}
	}
	q.Bytes, q.Page = 1<<20, paging.Request{Max: 2, Last: true, Index: -1}
	if got := s.ids(t, q); got != "2 3" {
		t.Error(got)
	}
	q.Page.Before = "gone"
	var refused *stanza.Error
	if _, err := s.Items(t.Context(), service, q); !errors.As(err, &refused) || refused.Condition != "item-not-found" {
		t.Error(err)
	}
}

// What comes after the end of a node or an account is refused, and nothing is left of it. CVE-2024-25420: nor of what the
// account was elsewhere.
func TestCVE202425420_RightsOfDeletedAccount(t *testing.T) {
	t.Parallel()
	s, db := open(t, alice, bob)
	s.write(t, alice, create(node("urn:x", alice)))
	s.write(t, service, create(node("hers", alice)))
	both := node("both", alice)
	both.Affiliations[bob] = pubsub.Owner
	s.write(t, service, create(both))
	s.write(t, service, create(node("his", bob)))
	s.write(t, service, pubsub.Change{Node: "his", Affiliations: map[jid.JID]pubsub.Affiliation{alice: pubsub.Publisher},
		Subscriptions: []pubsub.Subscription{{JID: jid.MustParse("alice@example.org/pc"), ID: "1", State: pubsub.Subscribed}}})
	if err := db.DeleteAccount(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	got, err := s.Nodes(t.Context(), service)
	if err != nil || got.Len() != 2 {
		t.Fatal(got, err)
	}
	for _, n := range got.All() {
		if n.Affiliation(alice) != pubsub.None || n.Affiliation(bob) != pubsub.Owner || len(n.Subscriptions) > 0 {
			t.Errorf("%+v", n)
		}
	}
	late, gone := item("urn:x", "1", 1), item("hers", "1", 1)
	again := create(node("urn:x", alice))
	for i, err := range []error{s.Write(t.Context(), alice, &late), s.Write(t.Context(), service, &gone), s.Write(t.Context(), alice, &again)} {
		var refused *stanza.Error
		if !errors.As(err, &refused) || refused.Condition != "item-not-found" {
			t.Errorf("%d: %v", i, err)
		}
	}
	for i, c := range []pubsub.Change{{Node: "hers", Delete: true}, {Node: "hers", Put: node("hers", alice)}} {
		if err := s.Write(t.Context(), service, &c); !errors.Is(err, pubsub.ErrGone) {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// Changes of one call are in one transaction.
func TestChangesTogether(t *testing.T) {
	t.Parallel()
	s, _ := open(t, alice)
	first, second := create(node("n", alice)), item("n", "a", 10)
	gone := pubsub.Change{Node: "none", Put: node("none", alice)}
	if err := s.Write(t.Context(), alice, &first, &second, &gone); !errors.Is(err, pubsub.ErrGone) {
		t.Fatal(err)
	}
	if n, err := s.Nodes(t.Context(), alice); err != nil || n.Len() != 0 {
		t.Errorf("%d nodes: %v", n.Len(), err)
	}
	third := item("n", "b", 1)
	if err := s.Write(t.Context(), alice, &first, &second, &third); err != nil || len(third.Result.Removed) != 1 || third.Result.Removed[0] != "a" {
		t.Error(third.Result, err)
	}
}

// SQLite compiles a statement again for each execution if a value that its planner could use is given as it is: one that is compared with the
// column of a partial index's condition, which the node is, or that limits rows.
func TestStatementsAreCompiledOnce(t *testing.T) {
	t.Parallel()
	planned := regexp.MustCompile(`(?i)(node =|limit|offset) \?`)
	for _, s := range []string{itemSQL, countSQL, positionSQL, beforeSQL, forwardSQL, backwardSQL, purgeSQL, publishSQL, trimSQL, expireSQL, retractSQL} {
		if found := planned.FindString(s); found != "" {
			t.Errorf("%q in %s", found, s)
		}
	}
}
