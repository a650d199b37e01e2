package notification

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tables is a Store in memory.
type tables struct {
	bookmarks map[jid.JID]Bookmark
	pushes    map[jid.JID]bool
	reads     int
	fail      error
}

func (s *tables) RoomBookmarks(context.Context, jid.JID, int) (map[jid.JID]Bookmark, error) {
	s.reads++
	found := map[jid.JID]Bookmark{}
	for j, b := range s.bookmarks {
		if s.pushes[j] {
			found[j] = b
		}
	}
	return found, s.fail
}

func (s *tables) Notifiable(_ context.Context, accounts []jid.JID) (found []jid.JID, _ error) {
	for _, a := range accounts {
		if s.pushes[a] {
			found = append(found, a)
		}
	}
	return found, nil
}

// fixture is a Notifier in a bubble, with a room.
type fixture struct {
	*testing.T
	*Notifier
	store   *tables
	members []Member // of the room
	open    bool     // who has bookmarked it may enter
	version uint64

	mu       sync.Mutex
	notified []jid.JID
}

func withNotifier(t *testing.T, f func(f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		x := &fixture{T: t, store: &tables{bookmarks: map[jid.JID]Bookmark{}, pushes: map[jid.JID]bool{}}, open: true}
		x.Notifier = New(Options{Store: x.store, Accounts: 1000, Notify: func(_ context.Context, account jid.JID, _ *stanza.Stanza, _ Wanted) {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.notified = append(x.notified, account)
		}})
		defer x.Stop(t.Context())
		f(x)
	})
}

// says has the room send a message, and checks who is notified.
func (f *fixture) says(m Message, want ...jid.JID) {
	f.Helper()
	m.Room, m.Version = lobby, f.version
	m.Members = func(_ context.Context, bookmarked []jid.JID) ([]Member, error) {
		list := slices.Clone(f.members)
		for _, j := range bookmarked {
			if f.open {
				list = append(list, Member{Account: j})
			}
		}
		return list, nil
	}
	f.notified = nil
	f.Room(f.Context(), m)
	synctest.Wait()
	slices.SortFunc(f.notified, func(a, b jid.JID) int { return strings.Compare(a.String(), b.String()) })
	if !slices.Equal(f.notified, want) {
		f.Errorf("%s: notified %v, want %v", m.Stanza, f.notified, want)
	}
}

func TestWhoIsNotified(t *testing.T) {
	t.Parallel()
	withNotifier(t, func(f *fixture) {
		hello, named := Message{Stanza: say(t, body("hello"))}, Message{Stanza: say(t, body("hello bob")), Public: true}
		f.says(hello)
		f.members = []Member{{Account: alice, Nick: "Al"}, {Account: bob}}
		f.store.pushes[alice], f.store.pushes[bob] = true, true
		f.says(hello) // what was read holds
		f.version++
		f.says(hello, alice, bob)
		f.says(Message{Stanza: say(t, body("hello")), Sender: alice}, bob)
		f.says(Message{Stanza: say(t, body("hello")), Public: true}) // XEP-0492 §3: public rooms, on-mention
		f.says(named, bob)
		f.store.bookmarks[bob] = Bookmark{Autojoin: true, Setting: Never}
		f.store.bookmarks[alice] = Bookmark{Autojoin: true, Setting: Always}
		f.Bookmarked(lobby)
		f.says(named, alice)
		f.store.bookmarks[alice] = Bookmark{} // has left
		f.Bookmarked(lobby)
		f.says(hello)
		f.members, f.open = nil, true
		f.store.bookmarks[bob] = Bookmark{Autojoin: true}
		f.version++
		f.says(hello, bob) // by its bookmark
		f.open = false     // may not enter
		f.version++
		f.says(hello)
		f.members = []Member{{Account: alice}, {Account: alice}}
		delete(f.store.bookmarks, alice)
		f.version++
		f.says(hello, alice) // once
		f.Notifier.Default = OnMention
		f.says(hello)
	})
}

// What was read is read again when it has changed, and not with each message.
func TestIndex(t *testing.T) {
	t.Parallel()
	withNotifier(t, func(f *fixture) {
		hello := Message{Stanza: say(t, body("hello"))}
		for range 10 {
			f.says(hello)
		}
		if f.store.reads != 1 {
			t.Errorf("%d reads", f.store.reads)
		}
		f.store.pushes[alice], f.members = true, []Member{{Account: alice}}
		f.Enabled()
		f.says(hello, alice)
		f.store.fail = errors.New("disk is gone")
		f.version++
		f.says(hello) // and no panic
		f.store.fail = nil
		f.says(hello, alice)
		for range manyMembers {
			f.members = append(f.members, Member{Account: bob})
		}
		f.version++
		f.says(hello, alice)
		before := f.store.reads
		f.store.pushes[bob] = true
		f.Enabled()
		f.says(hello, alice) // many members: not at once
		time.Sleep(rereadAfter)
		f.says(hello, alice, bob)
		if f.store.reads != before+1 {
			t.Errorf("%d reads", f.store.reads-before)
		}
		f.Notifier.Accounts = 1
		f.version++
		f.says(hello, alice)
		if f.Crowded.Load() != 1 {
			t.Error("not counted")
		}
	})
}

// A room does not wait for those who are notified.
func TestLate(t *testing.T) {
	t.Parallel()
	withNotifier(t, func(f *fixture) {
		hold := make(chan struct{})
		notify := f.Notify
		f.Notify = func(ctx context.Context, account jid.JID, st *stanza.Stanza, w Wanted) {
			<-hold
			notify(ctx, account, st, w)
		}
		f.store.pushes[alice], f.members = true, []Member{{Account: alice}}
		hello := Message{Room: lobby, Stanza: say(t, body("hello")), Members: func(context.Context, []jid.JID) ([]Member, error) { return f.members, nil }}
		for range 2 * maxJobs {
			f.Room(t.Context(), hello)
		}
		close(hold)
		synctest.Wait()
		if n := uint64(len(f.notified)) + f.Late.Load(); n != 2*maxJobs || f.Late.Load() == 0 {
			t.Errorf("%d notified, %d late", len(f.notified), f.Late.Load())
		}
	})
}

func TestWants(t *testing.T) {
	t.Parallel()
	withNotifier(t, func(f *fixture) {
		hello, named := say(t, body("hello")), say(t, body("al: hello"))
		for _, c := range []struct {
			b    Bookmark
			st   *stanza.Stanza
			nick string
			want bool
		}{
			{Bookmark{}, hello, "al", false}, {Bookmark{}, named, "al", true}, {Bookmark{Nick: "al"}, named, "", true},
			{Bookmark{Setting: Always}, hello, "al", true}, {Bookmark{Setting: Never}, named, "al", false},
			{Bookmark{Setting: Always}, hello, "Carol", false}, // its own
			{Bookmark{Setting: Always}, say(t, "<subject/>"), "al", false},
		} {
			if got := f.Wants(alice, c.b, c.nick, c.st).By(Phone); got != c.want {
				t.Errorf("%+v: %v", c, got)
			}
		}
		f.says(Message{Stanza: hello}) // not everybody may enter the room
		if !f.Wants(alice, Bookmark{}, "al", hello).By(Phone) {
			t.Error("a private room")
		}
	})
}

func BenchmarkRoom(b *testing.B) {
	s := &tables{bookmarks: map[jid.JID]Bookmark{}, pushes: map[jid.JID]bool{}}
	n := New(Options{Store: s, Accounts: 10_000, Notify: func(context.Context, jid.JID, *stanza.Stanza, Wanted) {}})
	defer n.Stop(context.Background())
	var members []Member
	for i := range 5000 {
		j, _ := jid.New("user"+string(rune('a'+i%26))+time.Duration(i).String(), "example.org", "")
		members = append(members, Member{Account: j})
		s.pushes[j] = true
	}
	from, _ := lobby.WithResource("Carol")
	m := Message{Room: lobby, Public: true, Members: func(context.Context, []jid.JID) ([]Member, error) { return members, nil }}
	for b.Loop() {
		m.Stanza = &stanza.Stanza{Kind: stanza.Message, Type: stanza.TypeGroupchat, ID: "1", From: from, Payload: "<body>hello everybody in this room, how are you?</body>"}
		n.Room(context.Background(), m)
	}
}
