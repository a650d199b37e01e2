package roster

import (
	"context"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// countingStore has one contact, and counts how often an entry is read.
type countingStore struct {
	Store
	contact jid.JID
	reads   int
}

func (s *countingStore) RosterContacts(context.Context, jid.JID) ([]Item, error) { return nil, nil }

func (s *countingStore) RosterEntry(_ context.Context, _, contact jid.JID) (Entry, error) {
	s.reads++
	return Entry{Item: Item{JID: contact}, Listed: contact == s.contact}, nil
}

type everybody struct{}

func (everybody) Exists(context.Context, jid.JID) (bool, error) { return true, nil }

// sink is a session that takes no stanza.
type sink struct{ jid jid.JID }

func (s sink) JID() jid.JID         { return s.jid }
func (sink) Deliver(*stanza.Stanza) {}
func (sink) Flush()                 {}
func (sink) Close(string, string)   {}

// Whether somebody is in the roster is read once, until the roster changes: strangers must not make the server read the database with
// each message.
func TestListedIsReadOnce(t *testing.T) {
	t.Parallel()
	host := router.NewHost(router.New(nil), jid.MustParse("home.test"), router.HostOptions{Accounts: everybody{}})
	store := &countingStore{contact: jid.MustParse("friend@away.test")}
	r := New(host, store, Options{})
	host.Use(r.Feature())
	if _, err := host.Bind(t.Context(), sink{jid.MustParse("romeo@home.test/orchard")}, router.BindOptions{}); err != nil {
		t.Fatal(err)
	}
	account := host.Local(jid.MustParse("romeo@home.test"))
	for round := range 2 {
		for range 10 {
			for _, other := range []string{"friend@away.test/x", "stranger@away.test/y"} {
				listed, err := r.Listed(t.Context(), account, jid.MustParse(other))
				if err != nil || listed != (other == "friend@away.test/x") {
					t.Fatal(other, listed, err)
				}
			}
		}
		if store.reads != 2*(round+1) {
			t.Errorf("%d reads in round %d", store.reads, round)
		}
		r.contacts.Invalidate(account) // as every change does
	}
	for i := range 3 * maxAnswers {
		if _, err := r.Listed(t.Context(), account, jid.MustParse(string(rune('a'+i%26))+string(rune('a'+i/26))+"@away.test")); err != nil {
			t.Fatal(err)
		}
	}
	if c := r.contacts.Loaded(account); len(c.answers.listed) > maxAnswers {
		t.Errorf("%d answers are kept", len(c.answers.listed))
	}
}
