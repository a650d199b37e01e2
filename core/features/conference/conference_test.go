package conference

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/mailbox"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var lobby = jid.MustParse("lobby@conference.example.org")

// full is the error of a store whose disk is full.
type full struct{}

func (full) Error() string  { return "disk is full" }
func (full) TryLater() bool { return true }

// memory keeps rooms and archives. It holds the writes of messages back until commit is called.
type memory struct {
	mu      sync.Mutex
	rooms   map[jid.JID]room.Snapshot
	waiting []func(error)
	reading chan chan Page // if not nil: each reading of an archive is sent here, and waits for its page
}

func (m *memory) LoadRoom(_ context.Context, at jid.JID) (room.Snapshot, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept, ok := m.rooms[at]
	return kept, ok, nil
}

func (m *memory) SaveRoom(_ context.Context, at jid.JID, c room.Change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept := m.rooms[at]
	if c.Config != nil {
		kept.Config = *c.Config
	}
	m.rooms[at] = kept
	return nil
}

func (*memory) Rooms(context.Context, jid.JID, bool, paging.Request) ([]Row, paging.Answer, error) {
	return nil, paging.Answer{}, nil
}
func (*memory) Created(context.Context, jid.JID) (int, error) { return 0, nil }
func (*memory) Affiliated(context.Context, jid.JID, jid.JID) ([]jid.JID, error) {
	return nil, nil
}
func (*memory) MemberOf(context.Context, jid.JID, jid.JID) ([]jid.JID, error) { return nil, nil }
func (*memory) DeleteTemporary(context.Context, jid.JID) error                { return nil }

func (*memory) OpenArchive(context.Context, jid.JID, int) (Archived, error) {
	return Archived{Number: 1}, nil
}

func (m *memory) Append(_ jid.JID, _ *Message, _ *Retraction, done func(error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting = append(m.waiting, done)
}

func (*memory) Moderate(context.Context, jid.JID, *Message, *Retraction) (bool, error) {
	return false, full{}
}
func (m *memory) Messages(context.Context, int64, archive.Filter, archive.Page) (Page, error) {
	if m.reading == nil {
		return Page{}, full{}
	}
	page := make(chan Page)
	m.reading <- page
	return <-page, nil
}
func (*memory) PruneArchives(context.Context, time.Time, int) error { return nil }

func (*memory) Generation(context.Context, jid.JID) (int64, bool, error) { return 0, true, nil }

// Now implements Clock.
func (*memory) Now(context.Context) (time.Time, error) { return time.Now(), nil }

// commit ends the writes that wait, the first ones without an error.
func (m *memory) commit(good int) {
	m.mu.Lock()
	list := m.waiting
	m.waiting = nil
	m.mu.Unlock()
	for i, done := range list {
		if i < good {
			done(nil)
		} else {
			done(full{})
		}
	}
}

// sink records what is sent to example.org.
type sink struct {
	mu  sync.Mutex
	got []string
}

func (s *sink) Flush() {}

func (s *sink) Deliver(st *stanza.Stanza) {
	text := st.Kind.String() + " " + st.Tree().ChildText("", "body")
	if e := st.Err(); e != nil {
		text = "error " + e.Condition
	}
	if st.MayHave("http://jabber.org/protocol/chatstates", "composing") {
		text = "composing"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, st.To.Local()+": "+text)
}

// take returns what was sent since the last call, by receiver: each gets it in this order, but the order among them is not defined.
func (s *sink) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortStableFunc(s.got, func(a, b string) int { return strings.Compare(a[:strings.Index(a, ":")], b[:strings.Index(b, ":")]) })
	got := strings.Join(s.got, ", ")
	s.got = nil
	return got
}

// fixture is a service with the room lobby, in which ann and bob are.
type fixture struct {
	t      *testing.T
	router *router.Router
	store  *memory
	sink   *sink
	*Service
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{t: t, router: router.New(slog.New(slog.DiscardHandler)), sink: &sink{}, store: &memory{rooms: map[jid.JID]room.Snapshot{
		lobby: {Config: rules.Config{Persistent: true, Logged: true}, Affiliations: map[jid.JID]affiliations.Entry{jid.MustParse("ann@example.org"): {Affiliation: rules.AffOwner}}},
	}}}
	if err := f.router.Attach(jid.MustParse("example.org"), f.sink); err != nil {
		t.Fatal(err)
	}
	e, err := f.router.Endpoint(lobby.Host())
	if err != nil {
		t.Fatal(err)
	}
	local, everybody := func(who jid.JID) bool { return who.Domain() == "example.org" }, func(jid.JID) bool { return true }
	f.Service = New(Options{
		Endpoint: e, Store: f.store, Lists: f.store, Archives: f.store, Clock: f.store, Secret: []byte("secret"), Config: config.Default().Rooms,
		People: People{Local: local, Admin: everybody}, Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := f.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	<-f.Started()
	t.Cleanup(func() { cancel(); running.Wait() })
	for _, who := range []string{"ann", "bob"} {
		at, _ := lobby.WithResource(who)
		f.in(stanza.NewPresence(at, jid.MustParse(who+"@example.org/x"), "", stanza.NewElement(muc.NS, "x")))
	}
	f.settle()
	f.sink.take()
	return f
}

func (f *fixture) in(st *stanza.Stanza) { f.rooms.Handle(st) }

func (f *fixture) says(who, text string) {
	f.in(stanza.NewMessage(lobby, jid.MustParse(who+"@example.org/x"), stanza.TypeGroupchat, stanza.TextElement("", "body", text)))
}

// settle waits until the room has handled all that was queued.
func (f *fixture) settle() {
	f.t.Helper()
	for range 2 { // jobs may queue others
		err := mailbox.ErrFull
		for errors.Is(err, mailbox.ErrFull) {
			err = f.rooms.Call(context.Background(), lobby, func(context.Context, *room.Room) error { return nil })
		}
		if err != nil {
			f.t.Fatal(err)
		}
	}
}

// A message is sent when it is in the archive, and what follows it waits for that. One that cannot be archived is refused, and nobody
// gets it.
func TestNothingIsSentBeforeItIsArchived(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.says("ann", "one")
	f.in(stanza.NewMessage(lobby, jid.MustParse("ann@example.org/x"), stanza.TypeGroupchat, stanza.NewElement("http://jabber.org/protocol/chatstates", "composing")))
	f.says("bob", "two")
	f.settle()
	if got := f.sink.take(); got != "" {
		t.Errorf("sent before the commit: %s", got)
	}
	f.store.commit(2)
	f.settle()
	want := "ann: message one, ann: composing, bob: message one, bob: composing, bob: error resource-constraint"
	if got := f.sink.take(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	f.says("bob", "again")
	f.settle()
	f.store.commit(1)
	f.settle()
	if got := f.sink.take(); got != "ann: message again, bob: message again" {
		t.Errorf("afterwards: %s", got)
	}
}

// What cannot be read or changed is answered with resource-constraint, and the room goes on.
func TestFaultsOfTheArchive(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, payload := range []*stanza.Element{
		stanza.NewElement(nsModerate, "moderate").With("id", "x").Add(stanza.NewElement("urn:xmpp:message-retract:1", "retract")),
		stanza.NewElement(archive.NS, "query"),
	} {
		f.in(stanza.NewIQ(lobby, jid.MustParse("ann@example.org/x"), stanza.TypeSet, payload))
		f.settle()
		if got := f.answer(); got != "ann: error resource-constraint" {
			t.Errorf("%s: %s", payload, got)
		}
	}
}

// A room whose database is too slow refuses messages instead of collecting them.
func TestPendingMessagesAreLimited(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := config.Default().Rooms
	c.Messages = 0
	f.SetConfig(c)
	for i := range maxPending {
		f.says("ann", "x")
		if i%100 == 0 {
			f.settle()
		}
	}
	f.settle()
	f.says("ann", "one too many")
	f.settle()
	if got := f.sink.take(); got != "ann: error resource-constraint" {
		t.Errorf("got %s", got)
	}
	f.store.commit(maxPending)
	f.settle()
	if got := f.sink.take(); strings.Count(got, "bob: message x") != maxPending {
		t.Errorf("%d messages arrived", strings.Count(got, "bob: message x"))
	}
}
