package rooms_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/rooms"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	domain = jid.MustParse("rooms.example.org")
	lobby  = jid.MustParse("lobby@rooms.example.org")
)

// policy behaves like native, except for the functions that are set.
type policy struct {
	native
	open    func(at jid.JID, kept *room.Snapshot) (rooms.Opened, error)
	create  func(who, at jid.JID) (room.Snapshot, error)
	sees    func(who jid.JID) (bool, error)
	message func(r *room.Room, m room.Message) error
	notify  func(e room.Event)
}

func (p *policy) Open(ctx context.Context, at jid.JID, kept *room.Snapshot) (rooms.Opened, error) {
	if p.open != nil {
		return p.open(at, kept)
	}
	return rooms.Opened{Owner: p}, nil
}

func (p *policy) Create(ctx context.Context, who, at jid.JID) (room.Snapshot, error) {
	if p.create != nil {
		return p.create(who, at)
	}
	return room.Snapshot{}, nil
}

func (p *policy) Sees(_ context.Context, who jid.JID, _ *room.Room) (bool, error) {
	if p.sees != nil {
		return p.sees(who)
	}
	return true, nil
}

func (p *policy) Message(ctx context.Context, r *room.Room, m room.Message) error {
	if p.message != nil {
		return p.message(r, m)
	}
	return p.native.Message(ctx, r, m)
}

func (p *policy) Notify(_ context.Context, _ *room.Room, e room.Event) {
	if p.notify != nil {
		p.notify(e)
	}
}

// faulty is a store that fails while fail is set.
type faulty struct {
	memoryStore
	fail error
}

func (f *faulty) LoadRoom(ctx context.Context, at jid.JID) (room.Snapshot, bool, error) {
	if f.fail != nil {
		return room.Snapshot{}, false, f.fail
	}
	return f.memoryStore.LoadRoom(ctx, at)
}

func (f *faulty) SaveRoom(ctx context.Context, at jid.JID, c room.Change) error {
	if f.fail != nil {
		return f.fail
	}
	return f.memoryStore.SaveRoom(ctx, at, c)
}

// fixture is a Service in a synctest bubble. It records the stanzas that the Service sends.
type fixture struct {
	*testing.T
	*rooms.Service
	policy *policy
	store  *faulty

	mu   sync.Mutex
	sent []*stanza.Stanza
}

func (f *fixture) Send(st *stanza.Stanza) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = append(f.sent, st)
}

func (f *fixture) Collect() (func(*stanza.Stanza), func()) { return f.Send, func() {} }

func newFixture(t *testing.T, change ...func(*rooms.Options)) *fixture {
	f := &fixture{T: t, store: &faulty{memoryStore: memoryStore{rooms: map[jid.JID]room.Snapshot{}}}}
	f.policy = &policy{native: native{&f.store.memoryStore}}
	opts := rooms.Options{
		Domain: domain, Policy: f.policy, Endpoint: f, Store: f.store, Secret: []byte("secret"),
		Log: slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&opts)
	}
	f.Service = rooms.New(context.Background(), opts)
	return f
}

// in handles one stanza: from "ann" to "lobby/ann", or to "" for the service.
func (f *fixture) in(xml string) *fixture {
	f.Helper()
	e, err := stanza.ParseElement(xml, stanza.NSClient)
	if err != nil {
		f.Fatalf("%v in %s", err, xml)
	}
	local, nick, _ := strings.Cut(e.Attr("to"), "/")
	to, err := jid.New(local, domain.String(), nick)
	if err != nil {
		f.Fatal(err)
	}
	st := &stanza.Stanza{
		Kind: stanza.KindOf(e.Local), Type: e.Attr("type"), ID: "1", From: jid.MustParse(e.Attr("from") + "@example.org/phone"), To: to,
	}
	for c := range e.Elements() {
		st.Payload += stanza.Encode(c)
	}
	f.Handle(st)
	synctest.Wait()
	return f
}

func (f *fixture) enter(who string) *fixture {
	return f.in("<presence from='" + who + "' to='lobby/" + who + "'><x xmlns='" + muc.NS + "'/></presence>")
}

func (f *fixture) leave(who string) *fixture {
	return f.in("<presence type='unavailable' from='" + who + "' to='lobby/" + who + "'/>")
}

// configure sets fields of the room's configuration, such as "persistentroom=1".
func (f *fixture) configure(who string, fields ...string) *fixture {
	x := ""
	for _, v := range fields {
		name, value, _ := strings.Cut(v, "=")
		x += "<field var='muc#roomconfig_" + name + "'><value>" + value + "</value></field>"
	}
	return f.in("<iq type='set' from='" + who + "' to='lobby'><query xmlns='" + muc.NSOwner + "'><x xmlns='jabber:x:data' type='submit'>" + x + "</x></query></iq>")
}

// take returns the stanzas sent since the last call, as XML, one per line.
func (f *fixture) take() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var b strings.Builder
	for _, st := range f.sent {
		b.WriteString(st.String() + "\n")
	}
	f.sent = nil
	return b.String()
}

func (f *fixture) wantHas(pieces ...string) *fixture {
	f.Helper()
	got := f.take()
	for _, p := range pieces {
		if !strings.Contains(got, p) {
			f.Errorf("no %q in\n%s", p, got)
		}
	}
	return f
}

func (f *fixture) stop() { f.Stop(context.Background()) }
