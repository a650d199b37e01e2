package presence

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

type everybody struct{}

func (everybody) Exists(context.Context, jid.JID) (bool, error) { return true, nil }

type noStore struct{ Store }

func (noStore) SetLastSeen(jid.JID, time.Time, string) {}

// oneContact is a roster with one contact, who sees the account. during is called, once, while the contacts are read.
type oneContact struct {
	router.Subscriptions
	contact jid.JID
	during  func()
}

func (o *oneContact) Contacts(context.Context, *router.Account) (from, to []jid.JID, err error) {
	if f := o.during; f != nil {
		o.during = nil
		f()
	}
	return []jid.JID{o.contact}, nil, nil
}

func (o *oneContact) Requests(context.Context, *router.Account) ([]*stanza.Stanza, error) {
	return nil, nil
}

// sink records the types of the presence that it gets; at is called for each, once.
type sink struct {
	jid jid.JID
	at  func()

	mu  sync.Mutex
	got []string
}

func (s *sink) JID() jid.JID { return s.jid }

func (s *sink) Deliver(st *stanza.Stanza) {
	if f := s.at; f != nil {
		s.at = nil
		f()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, st.Type)
}

func (s *sink) Flush()               {}
func (s *sink) Close(string, string) {}

// A session that another with the same JID replaces while its presence is broadcast is seen as unavailable at the end.
func TestReplacedDuringBroadcast(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		whileReading bool // the contacts, or else while the contact gets the presence
		want         []string
	}{
		"while contacts are read":       {true, []string{stanza.TypeUnavailable}},
		"while a contact gets presence": {false, []string{stanza.TypeUnavailable, "", stanza.TypeUnavailable}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := slog.New(slog.NewTextHandler(io.Discard, nil))
			r := router.New(log)
			host := router.NewHost(r, jid.MustParse("home.test"), router.HostOptions{Accounts: everybody{}})
			subs := &oneContact{contact: jid.MustParse("friend@away.test")}
			host.Use(New(host, subs, noStore{}, log).Feature())
			if err := r.Attach(host.Domain(), host); err != nil {
				t.Fatal(err)
			}
			friend := &sink{jid: jid.MustParse("away.test")}
			r.SetRemote(friend)
			full := jid.MustParse("romeo@home.test/orchard")
			bind := func() router.Port {
				port, err := host.Bind(t.Context(), &sink{jid: full}, router.BindOptions{Replace: true})
				if err != nil {
					t.Fatal(err)
				}
				return port
			}
			first := bind()
			replace := func() { bind() }
			if test.whileReading {
				subs.during = replace
			} else {
				friend.at = replace
			}
			batch := router.NewBatch(t.Context())
			first.Submit(batch, stanza.NewPresence(jid.JID{}, full, ""))
			batch.Flush()
			if !slices.Equal(friend.got, test.want) {
				t.Errorf("the contact got %q, want %q", friend.got, test.want)
			}
		})
	}
}
