package conversation

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-im/dragoman/core/mailbox"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// rooms has a row for each conversation but 99.
type rooms struct{}

func (rooms) RoomByID(_ context.Context, id int64) (tables.Room, bool, error) {
	return tables.Room{ID: id, Key: "room"}, id != 99, nil
}
func (rooms) Commit(context.Context, *tables.Batch) error { return nil }

// counted counts the rounds that have looked at the inbox.
type counted struct{ inbox *atomic.Int64 }

func (counted) Load(context.Context) error { return nil }
func (counted) Disposable() bool           { return true }
func (counted) Close()                     {}

func (c counted) Work(_ context.Context, look mailbox.Marks) {
	if look.Has(Inbox) {
		c.inbox.Add(1)
	}
}

// withSet runs a test in a synctest bubble with a set of conversations.
func withSet(t *testing.T, f func(s *Set, looked *atomic.Int64)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		env := &gateway.Env{
			Info:     transports.Info{Caps: transports.Caps{MessageCaps: transports.MessageCaps{History: true}}},
			Settings: gateway.Settings{Pending: 3}.OrDefaults(), Log: slog.New(slog.DiscardHandler), Now: time.Now,
		}
		var looked atomic.Int64
		s := NewSet(env, rooms{}, logins.New(env, nil, nil, nil).Registry, func(*Conversation) Parts { return counted{&looked} })
		s.Start(t.Context())
		defer s.Stop()
		f(s, &looked)
	})
}

// Events are left alone while a backfill holds them, and while the server is away.
func TestHold(t *testing.T) {
	withSet(t, func(s *Set, looked *atomic.Int64) {
		s.Hold(1)
		s.Hold(1)
		s.Wake(1, Inbox)
		synctest.Wait()
		s.Release(1, true)
		synctest.Wait()
		if n := looked.Load(); n != 0 {
			t.Fatalf("looked %d times at events that are held", n)
		}
		s.Release(1, true)
		synctest.Wait()
		if n := looked.Load(); n != 1 {
			t.Fatalf("looked %d times after the release", n)
		}
		s.ServerAway()
		s.Wake(2, Inbox)
		s.Hold(3) // keeps it in memory
		synctest.Wait()
		if n := looked.Load(); n != 1 {
			t.Errorf("looked %d times while the server is away", n)
		}
	})
}

// Live events get their place behind those of a backfill, and are refused when too many wait; the backfill has
// room of its own.
func TestAdmit(t *testing.T) {
	withSet(t, func(s *Set, _ *atomic.Int64) {
		l := &logins.Login{}
		admit := func(live bool) (tables.Event, bool) {
			e := tables.Event{Room: 1}
			ok := s.Admit(l, &e, live)
			return e, ok
		}
		before, _ := admit(true)
		s.Hold(1)
		held, _ := admit(true)
		read, _ := admit(false)
		if before.Priority != tables.PriorityNow || held.Priority != tables.PriorityHeld || read.Priority != tables.PriorityNow || read.Seq <= held.Seq {
			t.Errorf("%+v %+v %+v", before, held, read)
		}
		if _, ok := admit(true); ok {
			t.Error("a fourth live event was admitted")
		}
		if _, ok := admit(false); !ok {
			t.Error("the backfill was refused")
		}
		s.Processed(1, 4)
		if _, ok := admit(true); ok {
			t.Error("an event passed one that was refused")
		}
		done := make(chan *logins.Login, 1)
		s.Release(1, true)
		s.EnqueueAlways(1, func(_ context.Context, c *Conversation) {
			done <- c.CaughtUp()
			c.Accept()
		})
		if refused := <-done; refused != l {
			t.Error("nobody reads what was refused")
		}
		if e, ok := admit(true); !ok || e.Priority != tables.PriorityNow {
			t.Errorf("%+v %t", e, ok)
		}
	})
}

// Jobs of a conversation whose row is gone are dropped.
func TestConversationThatIsGone(t *testing.T) {
	withSet(t, func(s *Set, looked *atomic.Int64) {
		ran := false
		s.EnqueueAlways(99, func(context.Context, *Conversation) { ran = true })
		s.Wake(99, Inbox)
		synctest.Wait()
		if ran || looked.Load() != 0 {
			t.Error("something was done for a conversation that is not there")
		}
		if s.Loaded()[99] {
			t.Error("it stays in memory")
		}
	})
}
