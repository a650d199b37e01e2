package inbox

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/mailbox"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/conversation"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/delivery"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/outbox"
	"github.com/dragoman-im/dragoman/transports/bridge/puppets"
	"github.com/dragoman-im/dragoman/transports/bridge/rooms"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

var domain = jid.MustParse("net.example.org")

// fixture is the inbox of a gateway without logins, and one room.
type fixture struct {
	env       *gateway.Env
	store     *tables.Store
	set       *conversation.Set
	inbox     *Inbox
	room      int64
	processed atomic.Int64 // rounds
}

// server takes stanzas and forgets them.
type server struct{}

func (server) Send(*stanza.Stanza)                                    {}
func (server) Collect() (func(*stanza.Stanza), func())                { return func(*stanza.Stanza) {}, func() {} }
func (server) SendAll(_ []*stanza.Stanza, _ func(), done func(error)) { done(nil) }
func noTrace(string, ...slog.Attr)                                    {}

// idle has no calls.
type idle struct{}

func (idle) Calling() bool                    { return false }
func (idle) Making(convert.Kind, string) bool { return false }
func (idle) Echo(context.Context, transports.LoginID, transports.Event) outbox.Outcome {
	return outbox.NoEcho
}

// onlyEvents is a conversation whose events alone are worked on.
type onlyEvents struct {
	f      *fixture
	room   *rooms.Room
	events *Processor
}

func (p onlyEvents) Load(context.Context) error { return nil }
func (p onlyEvents) Disposable() bool           { return p.events.Disposable() }
func (p onlyEvents) Close()                     {}

func (p onlyEvents) Work(ctx context.Context, look mailbox.Marks) {
	if look.Has(conversation.Inbox) {
		p.events.Work(ctx)
		p.f.processed.Add(1)
	}
}

// newFixture makes a fixture; wrap may replace what knows the messages.
func newFixture(t *testing.T, wrap func(Messages) Messages) *fixture {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := store.Open(t.Context(), store.Options{URL: storetest.URL(t)})
	check(err)
	database, err := tables.Open(t.Context(), db)
	check(err)
	f := &fixture{}
	f.store, err = database.Gateway(t.Context(), domain)
	check(err)
	f.env = &gateway.Env{
		Domain: domain, Settings: gateway.Settings{}.OrDefaults(), Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Send: func(*stanza.Stanza) {}, Trace: noTrace,
	}
	f.env.Group = gateway.NewGroup(f.env.Recover)
	first, last, err := f.store.LastNumber(t.Context())
	check(err)
	f.env.Continue(first, last)
	ctx, cancel := context.WithCancel(context.Background())
	f.env.Group.Start(ctx)
	registry := logins.New(f.env, nil, f.store, nil).Registry
	people := puppets.NewDirectory(f.env, f.store, f.store)
	presence := puppets.NewPresence(f.env, f.store, people, registry)
	roster := puppets.NewRoster(f.env, f.store, presence)
	r := rooms.New(rooms.Options{Env: f.env, Store: f.store, Logins: registry, People: people, Presence: presence, Roster: roster, Endpoint: server{}})
	log := delivery.New(filepath.Join(t.TempDir(), "log"), f.env, f.store, server{}, delivery.Kept{})
	check(log.Recover(t.Context()))
	var processing *Processing
	f.set = conversation.NewSet(f.env, f.store, registry, func(c *conversation.Conversation) conversation.Parts {
		room := r.Room(c)
		return onlyEvents{f, room, processing.Processor(c, room, idle{})}
	})
	f.inbox = New(f.env, f.store, r.Index, f.set, nil)
	processing = NewProcessing(NewBackfill(f.inbox, r, registry), people, roster, unnoted{}, log)
	processing.messages = wrap(f.store)
	f.set.Start(ctx)
	t.Cleanup(func() {
		cancel()
		f.env.Group.Stop()
		f.env.Group.Wait()
		f.set.Stop()
		check(log.Close())
		check(db.Close())
	})
	row, err := f.store.PutRoom(t.Context(), tables.Room{Key: "plaza", Net: "plaza", Kind: transports.Public})
	check(err)
	f.room = row.ID
	return f
}

// receive stores n messages with the ids m0, m1 …, and has them processed.
func (f *fixture) receive(t *testing.T, n int) {
	t.Helper()
	rows := make([]tables.Event, n)
	for i := range rows {
		id := fmt.Sprint("m", i)
		data, err := encode(transports.Event{Room: "plaza", Actor: "cleo", At: time.Now(), Body: transports.Message{
			ID: transports.MessageID(id), Text: richtext.FromPlain(id),
		}})
		if err != nil {
			t.Fatal(err)
		}
		seq := f.env.Next()
		rows[i] = tables.Event{Seq: seq, Position: seq, Room: f.room, Key: id, Kind: "message", Data: data, At: time.Now()}
	}
	if _, err := f.store.Receive(t.Context(), rows, map[transports.LoginID]json.RawMessage{}); err != nil {
		t.Fatal(err)
	}
	f.work()
}

// work has the events processed that wait, and returns when that is done.
func (f *fixture) work() {
	before := f.processed.Load()
	f.set.Wake(f.room, conversation.Inbox)
	for f.processed.Load() == before {
		time.Sleep(time.Millisecond)
	}
}

// poison panics over one message until it is cured.
type poison struct {
	Messages
	cured *atomic.Bool
}

func (p poison) ByNetworkID(ctx context.Context, room int64, id transports.MessageID) ([]tables.Mapping, error) {
	if id == "m3" && !p.cured.Load() {
		panic("boom")
	}
	return p.Messages.ByNetworkID(ctx, room, id)
}

// A panic costs one event, which is kept with its error and can be replayed.
func TestPanicPutsOneEventAside(t *testing.T) {
	t.Parallel()
	var cured atomic.Bool
	f := newFixture(t, func(m Messages) Messages { return poison{m, &cured} })
	f.receive(t, 6)
	failed, err := f.inbox.Failed(t.Context())
	if err != nil || len(failed) != 1 || failed[0].Key != "m3" || !strings.Contains(failed[0].Error, "boom") {
		t.Fatalf("%+v, %v", failed, err)
	}
	if n := f.env.Counters.Panics.Load(); n != 1 {
		t.Errorf("%d panics", n)
	}
	for i := range 6 {
		rows, err := f.store.ByNetworkID(t.Context(), f.room, transports.MessageID(fmt.Sprint("m", i)))
		if want := 1; err != nil || i != 3 && len(rows) != want || i == 3 && len(rows) != 0 {
			t.Errorf("m%d: %+v, %v", i, rows, err)
		}
	}
	cured.Store(true)
	if n, err := f.inbox.Replay(t.Context()); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	f.work()
	if failed, err := f.inbox.Failed(t.Context()); err != nil || len(failed) != 0 {
		t.Errorf("%+v, %v", failed, err)
	}
	if rows, err := f.store.ByNetworkID(t.Context(), f.room, "m3"); err != nil || len(rows) != 1 {
		t.Errorf("%+v, %v", rows, err)
	}
}

// What cannot be decoded is put aside as well.
func TestUnreadableEvent(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(m Messages) Messages { return m })
	seq := f.env.Next()
	bad := tables.Event{Seq: seq, Position: seq, Room: f.room, Key: "bad", Kind: "message", Data: []byte("{"), At: time.Now()}
	if _, err := f.store.Receive(t.Context(), []tables.Event{bad}, nil); err != nil {
		t.Fatal(err)
	}
	f.receive(t, 1)
	failed, err := f.inbox.Failed(t.Context())
	if err != nil || len(failed) != 1 || failed[0].Key != "bad" {
		t.Errorf("%+v, %v", failed, err)
	}
	if rows, err := f.store.ByNetworkID(t.Context(), f.room, "m0"); err != nil || len(rows) != 1 {
		t.Errorf("%+v, %v", rows, err)
	}
}

// What a client could not read is put aside as it came, beside the event that shows the rest.
func TestUnreadableValuesAreKept(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(m Messages) Messages { return m })
	e := transports.Event{Key: "m0/unreadable", Room: "r", At: time.Now(), Body: transports.Unreadable{Raw: []byte(`{"blocks":7}`), Values: []string{"blocks"}}}
	data, err := encode(e)
	if err != nil {
		t.Fatal(err)
	}
	seq := f.env.Next()
	row := tables.Event{Seq: seq, Position: seq, Room: f.room, Key: e.Key, Kind: transports.BodyKind(e.Body), Data: data, At: e.At}
	if _, err := f.store.Receive(t.Context(), []tables.Event{row}, nil); err != nil {
		t.Fatal(err)
	}
	f.receive(t, 1)
	failed, err := f.inbox.Failed(t.Context())
	if err != nil || len(failed) != 1 || !strings.Contains(failed[0].Error, "blocks") {
		t.Fatalf("%+v, %v", failed, err)
	}
	if kept, err := decode(failed[0]); err != nil || string(kept.Body.(transports.Unreadable).Raw) != `{"blocks":7}` {
		t.Errorf("%+v, %v", kept, err)
	}
	if rows, err := f.store.ByNetworkID(t.Context(), f.room, "m0"); err != nil || len(rows) != 1 {
		t.Errorf("%+v, %v", rows, err)
	}
}

// unnoted is a Memberships for tests that have none.
type unnoted struct{}

func (unnoted) Changed(*logins.Login) {}
