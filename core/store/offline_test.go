package store

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/features/offline"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// keepOffline stores messages with these ids from bob, and waits.
func keepOffline(t testing.TB, s *Store, account jid.JID, ids ...string) {
	t.Helper()
	done := make(chan error, len(ids))
	for _, id := range ids {
		st := stanza.NewMessage(account, jid.MustParse("bob@example.net/"+id), stanza.TypeChat, stanza.TextElement("", "body", id))
		s.AddOffline(account, offline.Message{ID: id, Stanza: st, Received: time.Now()}, func(err error) { done <- err })
	}
	for range ids {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

// kept are the ids of messages behind a position.
func kept(t testing.TB, s *Store, account jid.JID, after int64, limit int) (ids []string, last int64) {
	t.Helper()
	list, err := s.OfflineMessages(t.Context(), account, after, limit)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		ids, last = append(ids, m.ID), m.Position
		if m.Stanza == nil || m.Stanza.Body() != m.ID || m.Stanza.Entry != m.ID {
			t.Errorf("%s: %v", m.ID, m.Stanza)
		}
	}
	return ids, last
}

// Offline messages are read page by page in the order in which they came, each once, whatever the clock says.
func TestOfflineOrder(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice, bob)
	keepOffline(t, s, alice, "c", "b")
	ahead := time.Now().Add(time.Hour).UnixMicro() // the clock was ahead, and is right now
	err := s.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO offline (account, id, sender, stanza, size, received, position)
VALUES (?, 'e', '', ?, 1, 0, ?)`, bob.String(), `<message xmlns="jabber:client" to="bob@example.org"><body>e</body></message>`, ahead)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	keepOffline(t, s, alice, "a", "b", "d") // b is stored
	keepOffline(t, s, bob, "x", "y")
	first, last := kept(t, s, alice, 0, 2)
	rest, _ := kept(t, s, alice, last, 10)
	if got := slices.Concat(first, rest); !slices.Equal(got, []string{"c", "b", "a", "d"}) {
		t.Errorf("messages %v", got)
	}
	if got, _ := kept(t, s, bob, 0, 10); !slices.Equal(got, []string{"e", "x", "y"}) {
		t.Errorf("messages %v", got)
	}
	deleted := make(chan error, 1)
	s.DeleteOffline(alice, []string{"b", "a", "none"}, func(err error) { deleted <- err })
	if err := <-deleted; err != nil {
		t.Fatal(err)
	}
	if got, _ := kept(t, s, alice, 0, 10); !slices.Equal(got, []string{"c", "d"}) {
		t.Errorf("after deletion %v", got)
	}
	senders, _, err := s.OfflineUsage(t.Context(), alice)
	if u := senders[jid.MustParse("bob@example.net")]; err != nil || len(senders) != 1 || u.Messages != 2 || u.Bytes == 0 {
		t.Errorf("usage %v, %v", senders, err)
	}
	if senders, _, err = s.OfflineUsage(t.Context(), bob); err != nil || len(senders) != 2 || senders[jid.JID{}].Messages != 1 {
		t.Errorf("usage %v, %v", senders, err)
	}
}

// A message for an account that was deleted meanwhile fails for nobody.
func TestOfflineOfDeleted(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	account(t, s, alice)
	var wg sync.WaitGroup
	for i, who := range []jid.JID{alice, bob, alice} {
		wg.Add(1)
		st := stanza.NewMessage(who, carol, stanza.TypeChat, stanza.TextElement("", "body", fmt.Sprint(i)))
		s.AddOffline(who, offline.Message{ID: fmt.Sprint(i), Stanza: st, Received: time.Now()}, func(err error) {
			if err != nil {
				t.Error(err)
			}
			wg.Done()
		})
	}
	wg.Wait()
	if got, _ := kept(t, s, alice, 0, 10); !slices.Equal(got, []string{"0", "2"}) {
		t.Errorf("messages %v", got)
	}
}

// BenchmarkOffline is offline messages per second, to one account and to many.
func BenchmarkOffline(b *testing.B) {
	for _, accounts := range []int{1, 1000} {
		b.Run(fmt.Sprint(accounts), func(b *testing.B) {
			s := open(b, Options{})
			var list []jid.JID
			for i := range accounts {
				list = append(list, jid.MustParse(fmt.Sprintf("u%d@example.org", i)))
			}
			account(b, s, list...)
			st := stanza.NewMessage(alice, bob, stanza.TypeChat, stanza.TextElement("", "body", strings.Repeat("x", 64)))
			free := make(chan struct{}, 500)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				free <- struct{}{}
				s.AddOffline(list[i%accounts], offline.Message{ID: stanza.NewID(), Stanza: st, Received: time.Now()}, func(err error) {
					if err != nil {
						b.Error(err)
					}
					<-free
				})
			}
			for range cap(free) {
				free <- struct{}{}
			}
		})
	}
}
