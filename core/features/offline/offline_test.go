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
	list     []Message
	position int64
	onAdd    func() // before a message is written
	onRead   func() // after a list is read
	onDelete func() // before a deletion is committed
	broken   error

	unreadable  error
	undeletable error
}

func (m *memory) AddOffline(_ jid.JID, msg Message, done func(error)) {
	if m.onAdd != nil {
		m.onAdd()
	}
	if m.broken == nil && !slices.ContainsFunc(m.list, func(had Message) bool { return had.ID == msg.ID }) {
		m.position++
		msg.Position = m.position
		m.list = append(m.list, msg)
	}
	done(m.broken)
}

func (m *memory) OfflineMessages(_ context.Context, _ jid.JID, after int64, limit int) ([]Message, error) {
	if m.unreadable != nil {
		return nil, m.unreadable
	}
	list := slices.DeleteFunc(slices.Clone(m.list), func(msg Message) bool { return msg.Position <= after })
	list = list[:min(limit, len(list))]
	if m.onRead != nil {
		m.onRead()
	}
	return list, nil
}

func (m *memory) DeleteOffline(_ jid.JID, ids []string, done func(error)) {
	if m.onDelete != nil {
		m.onDelete()
	}
	if m.undeletable == nil {
		m.list = slices.DeleteFunc(m.list, func(msg Message) bool { return slices.Contains(ids, msg.ID) })
	}
	done(m.undeletable)
}

func (m *memory) OfflineUsage(context.Context, jid.JID) (senders map[jid.JID]Usage, limit Usage, err error) {
	senders = map[jid.JID]Usage{}
	for _, msg := range m.list {
		u := senders[msg.Stanza.From.Bare()]
		senders[msg.Stanza.From.Bare()] = Usage{u.Messages + 1, u.Bytes + sizeOf(msg.Stanza)}
	}
	return senders, Usage{Messages: 1000, Bytes: 100_000}, nil
}

// bodies are the texts of what is stored.
func (m *memory) bodies() (list []string) {
	for _, msg := range m.list {
		list = append(list, msg.Stanza.Body())
	}
	return list
}

// session records what it is given.
type session struct {
	got []*stanza.Stanza
	// room is how many more it takes before it is behind; negative: any number.
	room   int
	waited int
	// hold makes the socket take nothing: outcomes are the callbacks that wait for it.
	hold     bool
	outcomes []func(bool)
}

func (s *session) NotifyWritten(done func(written bool)) {
	if s.hold {
		s.outcomes = append(s.outcomes, done)
		return
	}
	done(true)
}

// end reports the outcome of all writes.
func (s *session) end(written bool) {
	list := s.outcomes
	s.outcomes = nil
	for _, done := range list {
		done(written)
	}
}

func (s *session) QueueNearlyFull() bool         { return s.room == 0 }
func (s *session) WaitForClient(context.Context) { s.room, s.waited = 70, s.waited+1 }

func (s *session) JID() jid.JID              { return jid.MustParse("alice@example.org/pc") }
func (s *session) Deliver(st *stanza.Stanza) { s.got, s.room = append(s.got, st), max(s.room-1, -1) }
func (s *session) Flush()                    {}
func (s *session) Close(string, string)      {}

func setUp(t *testing.T, m *memory) (*Offline, *router.Host, *session, *router.Bound) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	h := router.NewHost(router.New(log), domain, router.HostOptions{})
	o := New(h, m, log)
	h.Use(o.Feature())
	if err := h.Router().Attach(domain, h); err != nil {
		t.Fatal(err)
	}
	s := &session{room: -1}
	b, err := h.Bind(t.Context(), s, router.BindOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return o, h, s, b.(*router.Bound)
}

// rests reports whether nothing is kept of alice and nothing is being given out.
func (o *Offline) rests() bool {
	e := o.accounts.Loaded(o.host.Local(alice))
	return e != nil && !e.counted && e.state == idle && len(e.delivered) == 0
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
		if err := o.deliverStored(t.Context(), h.Local(alice), false); err != nil {
			t.Error(err)
		}
	}
	if err := o.undelivered(t.Context(), &router.Pass{Host: h, Stanza: chat("x"), Account: h.Local(alice)}); err != router.ErrStop {
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
	if err := o.undelivered(t.Context(), &router.Pass{Host: h, Stanza: chat("1"), Account: h.Local(alice)}); err != router.ErrStop {
		t.Fatal(err)
	}
	available(b)
	reads := 0
	m.onRead = func() {
		if reads++; reads > 1 {
			return
		}
		if err := o.undelivered(t.Context(), &router.Pass{Host: h, Stanza: chat("2"), Account: h.Local(alice)}); err != router.ErrStop {
			t.Error(err)
		}
		if err := o.deliverStored(t.Context(), h.Local(alice), false); err != nil {
			t.Error(err)
		}
		if len(s.got) != 0 {
			t.Error("given by two at once")
		}
	}
	if err := o.deliverStored(t.Context(), h.Local(alice), false); err != nil {
		t.Error(err)
	}
	var got []string
	for _, st := range s.got {
		got = append(got, st.Body())
	}
	if !slices.Equal(got, []string{"1", "2"}) || len(m.list) != 0 || !o.rests() {
		t.Errorf("got %v, left %d", got, len(m.list))
	}
}

// What could not be written does not count, and is not reported as safe.
func TestWriteFails(t *testing.T) {
	t.Parallel()
	m := &memory{broken: errors.New("disk full")}
	o, h, _, _ := setUp(t, m)
	gate, err := h.Router().Endpoint(jid.MustParse("example.net"))
	if err != nil {
		t.Fatal(err)
	}
	send := func() (got error) {
		gate.SendAll([]*stanza.Stanza{chat("x")}, func() {}, func(err error) { got = err })
		return got
	}
	if err := send(); err == nil || !o.rests() {
		t.Errorf("%v", err)
	}
	m.broken = nil
	if err := send(); err != nil {
		t.Error(err)
	}
	if e := o.accounts.Loaded(h.Local(alice)); e.usage.all.Messages != 1 {
		t.Error(e.usage)
	}
}

// Whoever comes while nothing can be read gets it as soon as that is possible.
func TestReadFails(t *testing.T) {
	t.Parallel()
	m := &memory{unreadable: errors.New("locked")}
	o, h, s, b := setUp(t, m)
	if err := o.undelivered(t.Context(), &router.Pass{Host: h, Stanza: chat("1"), Account: h.Local(alice)}); err != router.ErrStop {
		t.Fatal(err)
	}
	available(b)
	for range 2 {
		if err := o.deliverStored(t.Context(), h.Local(alice), false); err == nil {
			t.Error("no error")
		}
		o.Retry(t.Context())
	}
	if len(s.got) != 0 {
		t.Fatal(s.got)
	}
	m.unreadable = nil
	o.Retry(t.Context())
	o.Retry(t.Context())
	if len(s.got) != 1 || len(m.list) != 0 || len(o.failed) != 0 {
		t.Errorf("%d delivered, %d left", len(s.got), len(m.list))
	}
}

// The sender of a message that could not be written gets an error.
func TestWriteFailsAnswered(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err       error
		condition string
	}{{errors.New("whatever"), "internal-server-error"}, {passing{}, "resource-constraint"}} {
		m := &memory{broken: c.err}
		o, h, _, _ := setUp(t, m)
		r := &remote{}
		h.Router().SetRemote(r)
		if err := o.undelivered(t.Context(), &router.Pass{Host: h, Stanza: chat("x"), Account: h.Local(alice)}); err != router.ErrStop {
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
			if err := o.undelivered(t.Context(), &router.Pass{Host: h, Stanza: chat(fmt.Sprint(i)), Account: h.Local(alice)}); err != router.ErrStop {
				t.Fatal(err)
			}
		}
		available(b)
		s.room = 70
		if own { // the reader of the session itself may wait
			if err := o.Arrived(t.Context(), &router.Pass{Host: h, Account: h.Local(alice)}); err != nil {
				t.Fatal(err)
			}
			if s.waited != 3 {
				t.Errorf("waited %d times", s.waited)
			}
		} else { // others come back later
			for range 10 {
				if err := o.deliverStored(t.Context(), h.Local(alice), false); err != nil {
					t.Fatal(err)
				}
				s.WaitForClient(t.Context())
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
		if len(s.got) != n || len(m.list) != 0 || !o.rests() {
			t.Errorf("own %v: %d given, %d left", own, len(s.got), len(m.list))
		}
	}
}

// What comes while a session is given what was kept for it waits behind that; once it has
// everything nothing waits.
func TestOrder(t *testing.T) {
	t.Parallel()
	m := &memory{}
	o, h, s, b := setUp(t, m)
	route := func(body string) { h.Router().Route(chat(body)) }
	route("1")
	available(b)
	route("2") // before anything was collected
	if len(s.got) != 0 {
		t.Fatalf("%d came out of order", len(s.got))
	}
	m.onRead = func() { // while it is collected, after the list was read
		m.onRead = nil
		route("3")
	}
	if err := o.deliverStored(t.Context(), h.Local(alice), false); err != nil {
		t.Fatal(err)
	}
	route("4")
	var got []string
	for _, st := range s.got {
		got = append(got, st.Body())
	}
	if !slices.Equal(got, []string{"1", "2", "3", "4"}) || len(m.list) != 0 || !o.rests() {
		t.Errorf("got %v, %d are left", got, len(m.list))
	}
}
