package offline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

var (
	domain = jid.MustParse("example.org")
	alice  = jid.MustParse("alice@example.org")
	bob    = jid.MustParse("bob@example.net/x")
)

// memory is a Store whose moments a test can choose.
type memory struct {
	list   []Message
	onAdd  func() // before a message is written
	onRead func() // after a list is read
	broken error

	unreadable error
}

func (m *memory) AddOffline(_ jid.JID, msg Message, done func(error)) {
	if m.onAdd != nil {
		m.onAdd()
	}
	if m.broken == nil {
		msg.ID = fmt.Sprint(len(m.list))
		m.list = append(m.list, msg)
	}
	done(m.broken)
}

func (m *memory) OfflineMessages(_ context.Context, _ jid.JID, limit int) ([]Message, error) {
	if m.unreadable != nil {
		return nil, m.unreadable
	}
	list := slices.Clone(m.list[:min(limit, len(m.list))])
	if m.onRead != nil {
		m.onRead()
	}
	return list, nil
}

func (m *memory) DeleteOffline(_ context.Context, _ jid.JID, ids []string) error {
	m.list = slices.DeleteFunc(m.list, func(msg Message) bool { return slices.Contains(ids, msg.ID) })
	return nil
}

func (m *memory) OfflineUsage(context.Context, jid.JID) (used, limit Usage, err error) {
	return Usage{Messages: len(m.list)}, Usage{Messages: 1000, Bytes: 100_000}, nil
}

// session takes down what it is given.
type session struct {
	got []*stanza.Stanza
	// room is how many more it takes before it is behind; negative: any number.
	room   int
	waited int
}

func (s *session) Behind() bool            { return s.room == 0 }
func (s *session) CatchUp(context.Context) { s.room, s.waited = 70, s.waited+1 }

func (s *session) JID() jid.JID              { return jid.MustParse("alice@example.org/pc") }
func (s *session) Deliver(st *stanza.Stanza) { s.got, s.room = append(s.got, st), max(s.room-1, -1) }
func (s *session) Flush()                    {}
func (s *session) Close(string, string)      {}

func setUp(t *testing.T, m *memory) (*Offline, *router.Host, *session, *router.Bound) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	h := router.NewHost(router.New(log), domain, router.HostOptions{})
	s := &session{room: -1}
	b, err := h.Bind(t.Context(), s, router.Claim{})
	if err != nil {
		t.Fatal(err)
	}
	return New(h, m, log), h, s, b
}

func chat(text string) *stanza.Stanza {
	return stanza.NewMessage(alice, bob, stanza.TypeChat, stanza.TextElement(stanza.NSClient, "body", text))
}

func available(b *router.Bound) {
	b.SetPresence(&router.Presence{Stanza: stanza.NewPresence(jid.JID{}, b.JID(), "")})
}

// A session arrives after the message's fate was decided and before it is written: its own
// collecting comes too early.
func TestArrivalDuringKeeping(t *testing.T) {
	t.Parallel()
	m := &memory{}
	o, h, s, b := setUp(t, m)
	m.onAdd = func() {
		available(b)
		if err := o.Collect(t.Context(), alice); err != nil {
			t.Error(err)
		}
	}
	if err := o.undelivered(t.Context(), &router.Pass{Host: h, Stanza: chat("x"), Account: alice}); err != router.ErrStop {
		t.Error(err)
	}
	if len(s.got) != 1 || len(m.list) != 0 {
		t.Errorf("%d delivered, %d left", len(s.got), len(m.list))
	}
}

// While one session is being given the messages, another wants them; and a message comes.
func TestCollectingTwiceAtOnce(t *testing.T) {
	t.Parallel()
	m := &memory{}
	o, h, s, b := setUp(t, m)
	if err := o.undelivered(t.Context(), &router.Pass{Host: h, Stanza: chat("1"), Account: alice}); err != router.ErrStop {
		t.Fatal(err)
	}
	available(b)
	reads := 0
	m.onRead = func() {
		if reads++; reads > 1 {
			return
		}
		if err := o.undelivered(t.Context(), &router.Pass{Host: h, Stanza: chat("2"), Account: alice}); err != router.ErrStop {
			t.Error(err)
		}
		if err := o.Collect(t.Context(), alice); err != nil {
			t.Error(err)
		}
		if len(s.got) != 0 {
			t.Error("given by two at once")
		}
	}
	if err := o.Collect(t.Context(), alice); err != nil {
		t.Error(err)
	}
	var got []string
	for _, st := range s.got {
		got = append(got, st.Body())
	}
	if !slices.Equal(got, []string{"1", "2"}) || len(m.list) != 0 || len(o.collecting) != 0 || len(o.usage) != 0 {
		t.Errorf("got %v, left %d, %v, %v", got, len(m.list), o.collecting, o.usage)
	}
}

// What could not be written does not count, and its sender's acknowledgement never comes.
func TestWriteFails(t *testing.T) {
	t.Parallel()
	m := &memory{broken: errors.New("disk full")}
	o, h, _, b := setUp(t, m)
	promises := router.NewPromises(nil)
	batch := router.NewBatch(t.Context())
	batch.SetPromises(promises)
	batch.SetSession(b)
	promises.Next()
	h.SetStages(o.Stage())
	if err := h.Router().Attach(domain, h); err != nil {
		t.Fatal(err)
	}
	h.Router().RouteIn(batch, chat("x"))
	if promises.Kept() != 0 || promises.Err() == nil || len(o.usage) != 0 {
		t.Errorf("kept %d, %v, usage %v", promises.Kept(), promises.Err(), o.usage)
	}
	m.broken = nil
	promises.Next()
	h.Router().RouteIn(batch, chat("y"))
	if o.usage[alice].Messages != 1 {
		t.Error(o.usage)
	}
}

// Whoever comes while nothing can be read gets it as soon as that is possible.
func TestReadFails(t *testing.T) {
	t.Parallel()
	m := &memory{unreadable: errors.New("locked")}
	o, h, s, b := setUp(t, m)
	if err := o.undelivered(t.Context(), &router.Pass{Host: h, Stanza: chat("1"), Account: alice}); err != router.ErrStop {
		t.Fatal(err)
	}
	available(b)
	for range 2 {
		if err := o.Collect(t.Context(), alice); err == nil {
			t.Error("no error")
		}
		o.Retry(t.Context())
	}
	if len(s.got) != 0 || len(o.collecting) != 0 {
		t.Fatal(s.got, o.collecting)
	}
	m.unreadable = nil
	o.Retry(t.Context())
	o.Retry(t.Context())
	if len(s.got) != 1 || len(m.list) != 0 || len(o.failed) != 0 {
		t.Errorf("%d delivered, %d left", len(s.got), len(m.list))
	}
}

// The sender of a message that could not be written is told.
func TestWriteFailsTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err       error
		condition string
	}{{errors.New("whatever"), "internal-server-error"}, {passing{}, "resource-constraint"}} {
		m := &memory{broken: c.err}
		o, h, _, _ := setUp(t, m)
		r := &remote{}
		h.Router().SetRemote(r)
		if err := o.undelivered(t.Context(), &router.Pass{Host: h, Stanza: chat("x"), Account: alice}); err != router.ErrStop {
			t.Error(err)
		}
		if len(r.got) != 1 || r.got[0].Err() == nil || r.got[0].Err().Condition != c.condition || r.got[0].To != bob {
			t.Errorf("%v: %v", c.err, r.got)
		}
	}
}

// passing is an error that goes away.
type passing struct{}

func (passing) Error() string  { return "full" }
func (passing) TryLater() bool { return true }

type remote struct{ got []*stanza.Stanza }

func (r *remote) Deliver(st *stanza.Stanza) { r.got = append(r.got, st) }

// Many messages go at the pace of the client that gets them, and each once.
func TestPace(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{true, false} {
		m := &memory{}
		o, h, s, b := setUp(t, m)
		const n = 250
		for i := range n {
			if err := o.undelivered(t.Context(), &router.Pass{Host: h, Stanza: chat(fmt.Sprint(i)), Account: alice}); err != router.ErrStop {
				t.Fatal(err)
			}
		}
		available(b)
		s.room = 70
		if own { // the reader of the session itself may wait
			if err := o.Arrived(t.Context(), &router.Pass{Host: h, Account: alice}); err != nil {
				t.Fatal(err)
			}
			if s.waited != 3 {
				t.Errorf("waited %d times", s.waited)
			}
		} else { // others come back later
			for range 10 {
				if err := o.Collect(t.Context(), alice); err != nil {
					t.Fatal(err)
				}
				s.CatchUp(t.Context())
			}
			if len(s.got) < 70 {
				t.Error("nothing was given")
			}
		}
		for i, st := range s.got {
			if st.Body() != fmt.Sprint(i) {
				t.Fatalf("message %d is %s", i, st.Body())
			}
		}
		if len(s.got) != n || len(m.list) != 0 || len(o.usage) != 0 {
			t.Errorf("own %v: %d given, %d left, %v", own, len(s.got), len(m.list), o.usage)
		}
	}
}

// What comes while a session is given what was kept for it waits for its turn; once it has
// everything nothing waits.
func TestTurn(t *testing.T) {
	t.Parallel()
	m := &memory{}
	o, h, s, b := setUp(t, m)
	h.SetStages(o.Stage(), o.Turn())
	if err := h.Router().Attach(domain, h); err != nil {
		t.Fatal(err)
	}
	route := func(body string) { h.Router().Route(chat(body)) }
	route("1")
	available(b)
	route("2") // before anything was collected
	if len(s.got) != 0 {
		t.Fatalf("%d came before their turn", len(s.got))
	}
	m.onRead = func() { // while it is collected, after the list was read
		m.onRead = nil
		route("3")
	}
	if err := o.Collect(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	route("4")
	var got []string
	for _, st := range s.got {
		got = append(got, st.Body())
	}
	if !slices.Equal(got, []string{"1", "2", "3", "4"}) || len(m.list) != 0 || len(o.usage) != 0 {
		t.Errorf("got %v, %d are left, usage %v", got, len(m.list), o.usage)
	}
}
