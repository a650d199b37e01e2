package offline

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// store stores messages with these texts for alice.
func store(t *testing.T, o *Offline, h *router.Host, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err := o.undelivered(t.Context(), &router.Pass{Host: h, Stanza: chat(text), Account: h.Local(alice)}); err != router.ErrStop {
			t.Fatal(err)
		}
	}
}

// taken are the texts that a session was given since the last call.
func (s *session) taken() (list []string) {
	for _, st := range s.got {
		list = append(list, st.Body())
	}
	s.got = nil
	return list
}

// Messages stay stored until the socket has taken them: a client that resets its connection gets them again, in
// order, and each once.
func TestDeletedWhenTaken(t *testing.T) {
	t.Parallel()
	m := &memory{}
	o, h, s, b := setUp(t, m)
	all := []string{"1", "2", "3"}
	store(t, o, h, all...)
	s.hold = true
	available(b)
	for round := range 3 {
		if err := o.deliverStored(t.Context(), h.Local(alice), true); err != nil {
			t.Fatal(err)
		}
		if got := s.taken(); !slices.Equal(got, all) || !slices.Equal(m.bodies(), all) {
			t.Fatalf("round %d: given %v, stored %v", round, got, m.bodies())
		}
		if err := o.deliverStored(t.Context(), h.Local(alice), true); err != nil { // under way: not twice
			t.Fatal(err)
		}
		if got := s.taken(); got != nil {
			t.Fatalf("round %d: %v again", round, got)
		}
		s.end(false)
	}
	o.Retry(t.Context()) // another session, perhaps
	if got := s.taken(); !slices.Equal(got, all) {
		t.Fatalf("given %v", got)
	}
	s.end(true)
	if len(m.list) != 0 || !o.rests() {
		t.Errorf("stored %v", m.bodies())
	}
}

// A message that is returned by the session that it was given to is stored once, where it was.
func TestReturnedIsStoredOnce(t *testing.T) {
	t.Parallel()
	m := &memory{}
	o, h, s, b := setUp(t, m)
	store(t, o, h, "1", "2")
	s.hold = true
	available(b)
	if err := o.deliverStored(t.Context(), h.Local(alice), true); err != nil {
		t.Fatal(err)
	}
	first, second := s.got[0], s.got[1]
	s.got = nil
	b.Unbind(t.Context())
	h.Return(first)
	s.end(false)
	h.Return(second) // both ways of learning it, in any order
	if got := m.bodies(); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("stored %v", got)
	}
	if e := o.accounts.Loaded(h.Local(alice)); e.usage.all.Messages != 2 {
		t.Errorf("counted %+v", e.usage)
	}
	s.hold = false
	again, err := h.Bind(t.Context(), s, router.BindOptions{})
	if err != nil {
		t.Fatal(err)
	}
	available(again.(*router.Bound))
	if err := o.deliverStored(t.Context(), h.Local(alice), true); err != nil {
		t.Fatal(err)
	}
	if got := s.taken(); !slices.Equal(got, []string{"1", "2"}) || len(m.list) != 0 || !o.rests() {
		t.Errorf("given %v, stored %v", got, m.bodies())
	}
}

// A delivery that has read the messages before their deletion is committed does not deliver them again, whether the
// socket takes them while it reads or the next page is being read then.
func TestDeletedWhileReading(t *testing.T) {
	t.Parallel()
	for _, n := range []int{3, pageSize, 2*pageSize + 1} {
		m := &memory{}
		o, h, s, b := setUp(t, m)
		var all []string
		for i := range n {
			all = append(all, fmt.Sprint(i))
		}
		store(t, o, h, all...)
		s.hold = true
		available(b)
		if err := o.deliverStored(t.Context(), h.Local(alice), true); err != nil {
			t.Fatal(err)
		}
		if got := s.taken(); !slices.Equal(got, all) {
			t.Fatalf("given %v", got)
		}
		m.onRead = func() { s.end(true) }
		for range 2 {
			if err := o.deliverStored(t.Context(), h.Local(alice), true); err != nil {
				t.Fatal(err)
			}
			if got := s.taken(); got != nil {
				t.Errorf("%d messages: %v again", n, got)
			}
		}
		if len(m.list) != 0 || !o.rests() {
			t.Errorf("%d messages: stored %v", n, m.bodies())
		}
	}
}

// A message that a session returns although its socket has taken it, as at the end of a connection, is stored again: the
// deletion that is under way does not delete it.
func TestReturnedWhileDeleting(t *testing.T) {
	t.Parallel()
	m := &memory{}
	o, h, s, b := setUp(t, m)
	store(t, o, h, "1", "2")
	available(b)
	m.onDelete = func() {
		m.onDelete = nil
		b.Unbind(t.Context())
		h.Return(s.got[1])
	}
	if err := o.deliverStored(t.Context(), h.Local(alice), true); err != nil {
		t.Fatal(err)
	}
	if got := m.bodies(); !slices.Equal(got, []string{"2"}) {
		t.Fatalf("stored %v", got)
	}
	s.got = nil
	again, err := h.Bind(t.Context(), s, router.BindOptions{})
	if err != nil {
		t.Fatal(err)
	}
	available(again.(*router.Bound))
	if err := o.deliverStored(t.Context(), h.Local(alice), true); err != nil {
		t.Fatal(err)
	}
	if got := s.taken(); !slices.Equal(got, []string{"2"}) || len(m.list) != 0 || !o.rests() {
		t.Errorf("given %v, stored %v", got, m.bodies())
	}
}

// One sender, and several together, leave room for others.
func TestSendersLeaveRoom(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"x", string(make([]byte, 10_000))} { // the number and the size
		m := &memory{}
		o, h, _, _ := setUp(t, m)
		send := func(name string, text string) error {
			st := stanza.NewMessage(alice, jid.MustParse(name+"@example.net/"+stanza.NewID()), stanza.TypeChat)
			st.Payload = "<body>" + text + "</body>"
			return o.undelivered(t.Context(), &router.Pass{Host: h, Stanza: st, Account: h.Local(alice)})
		}
		stored := 0
		for sender := range 4 {
			for range 600 {
				if send(fmt.Sprint("stranger", sender), text) == router.ErrStop {
					stored++
				}
			}
			if sender == 0 && (stored > 500 || int64(stored)*int64(len(text)) > 50_000) {
				t.Errorf("%d of one sender", stored)
			}
		}
		if err := send("friend", "hi"); err != router.ErrStop {
			t.Errorf("after %d messages of others: %v", stored, err)
		}
		if n := o.tooMany.Load() + o.tooLarge.Load(); n != uint64(4*600-stored) {
			t.Errorf("%d refusals are counted, of %d", n, 4*600-stored)
		}
		loaded, err := o.load(t.Context(), alice) // as after a restart
		if e := o.accounts.Loaded(h.Local(alice)); err != nil || loaded.all != e.usage.all || len(loaded.senders) != len(e.usage.senders) {
			t.Errorf("loaded %v, counted %v, %v", loaded.all, e.usage.all, err)
		}
	}
}

// A deletion that has failed is tried again; meanwhile the message is not delivered again.
func TestDeletionIsRetried(t *testing.T) {
	t.Parallel()
	m := &memory{undeletable: errors.New("disk full")}
	o, h, s, b := setUp(t, m)
	store(t, o, h, "1", "2")
	available(b)
	for range 3 {
		if err := o.deliverStored(t.Context(), h.Local(alice), true); err != nil {
			t.Fatal(err)
		}
		o.Retry(t.Context())
	}
	if got := s.taken(); !slices.Equal(got, []string{"1", "2"}) || len(m.list) != 2 {
		t.Fatalf("given %v, stored %v", got, m.bodies())
	}
	m.undeletable = nil
	o.Retry(t.Context())
	if len(m.list) != 0 || !o.rests() || len(o.undeleted) != 0 {
		t.Errorf("stored %v", m.bodies())
	}
}

// A stored message that cannot be read is deleted, and does not count any more; the others are delivered.
func TestUnreadableIsDeleted(t *testing.T) {
	t.Parallel()
	m := &memory{}
	o, h, s, b := setUp(t, m)
	store(t, o, h, "1", "2", "3")
	m.list[1].Sender, m.list[1].Size = m.list[1].Stanza.From.Bare(), sizeOf(m.list[1].Stanza)
	m.list[1].Stanza = nil
	available(b)
	if err := o.deliverStored(t.Context(), h.Local(alice), true); err != nil {
		t.Fatal(err)
	}
	if got := s.taken(); !slices.Equal(got, []string{"1", "3"}) || len(m.list) != 0 || !o.rests() {
		t.Errorf("given %v, stored %d", got, len(m.list))
	}
}
