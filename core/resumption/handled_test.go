package resumption

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// client records what it is told.
type client struct {
	answers []uint32
	saves   []func(error)
	saved   []uint32
	failed  int
}

func (c *client) hooks() HandledHooks {
	return HandledHooks{
		Save: func(n uint32, done func(error)) {
			c.saved, c.saves = append(c.saved, n), append(c.saves, done)
		},
		Answer: func(n uint32) { c.answers = append(c.answers, n) }, Failed: func() { c.failed++ },
	}
}

// commit ends the next save.
func (c *client) commit(err error) {
	done := c.saves[0]
	c.saves = c.saves[1:]
	done(err)
}

func stanzas(h *Handled, n int) {
	for range n {
		h.Begin()
		h.End()
	}
}

// A client is told a count only after it is stored, and stored are only stanzas whose writes are committed.
func TestHandled(t *testing.T) {
	t.Parallel()
	c := &client{}
	h := NewHandled(0, 0, c.hooks())
	h.Request()
	if !slices.Equal(c.answers, []uint32{0}) || len(c.saves) != 0 {
		t.Fatalf("%+v", c)
	}
	stanzas(h, 2)
	first := h.Begin().BeginWrite()
	h.End()
	second, late := h.Begin().BeginWrite(), h.next.BeginWrite()
	h.End()
	stanzas(h, 1)
	h.Request()
	if n, saved := h.Count(); n != 2 || saved != 0 || len(c.saves) != 0 {
		t.Fatalf("%d handled, %d stored, %+v", n, saved, c)
	}
	second(nil)
	first(nil)
	if n, _ := h.Count(); n != 3 {
		t.Errorf("%d handled", n)
	}
	late(nil)
	if !slices.Equal(c.saved, []uint32{5}) || len(c.answers) != 1 {
		t.Fatalf("%+v", c)
	}
	stanzas(h, 1)
	h.Request() // while it is stored
	c.commit(nil)
	c.commit(nil)
	if !slices.Equal(c.answers, []uint32{0, 5, 6}) || !slices.Equal(c.saved, []uint32{5, 6}) {
		t.Errorf("%+v", c)
	}
}

// A client that goes on sending is answered all the same, as soon as what came before its request is handled, and once for requests that
// came meanwhile.
func TestHandledBusy(t *testing.T) {
	t.Parallel()
	c := &client{}
	h := NewHandled(0, 0, c.hooks())
	var writes []func(error)
	send := func(n int) {
		for range n {
			writes = append(writes, h.Begin().BeginWrite())
			h.End()
		}
	}
	commit := func(n int) {
		for _, done := range writes[:n] {
			done(nil)
		}
		writes = writes[n:]
	}
	send(3)
	h.Request()
	send(2)
	commit(2)
	if len(c.saves) != 0 {
		t.Fatalf("%+v", c)
	}
	commit(2) // the third is saved at once
	send(1)
	h.Request()
	send(1)
	h.Request()
	commit(3)
	if len(c.saves) != 1 || len(c.answers) != 0 {
		t.Fatalf("%+v", c)
	}
	c.commit(nil)
	c.commit(nil)
	if !slices.Equal(c.saved, []uint32{3, 7}) || !slices.Equal(c.answers, []uint32{3, 7}) || len(c.saves) != 0 {
		t.Errorf("%+v", c)
	}
}

// A stanza of which a write begins only when the count with it is being stored is not acknowledged before that write has ended, and what is
// stored is corrected if the client is to be answered meanwhile.
func TestHandledLate(t *testing.T) {
	t.Parallel()
	c := &client{}
	h := NewHandled(0, 0, c.hooks())
	token := h.Begin()
	token.BeginWrite()(nil)
	h.End()
	stanzas(h, 1)
	h.Request()
	late := token.BeginWrite()
	c.commit(nil)
	if len(c.answers) != 0 || len(c.saves) != 0 {
		t.Fatalf("%+v", c)
	}
	late(nil)
	if !slices.Equal(c.answers, []uint32{2}) || !slices.Equal(c.saved, []uint32{2}) {
		t.Errorf("%+v", c)
	}
}

// The count wraps at 2^32.
func TestHandledWraps(t *testing.T) {
	t.Parallel()
	c := &client{}
	h := NewHandled(1<<32-1, 1<<32-1, c.hooks())
	write := h.Begin().BeginWrite()
	h.End()
	h.Request()
	if n, _ := h.Count(); n != 1<<32-1 || len(c.saves) != 0 {
		t.Fatalf("%d handled, %+v", n, c)
	}
	write(nil)
	c.commit(nil)
	if !slices.Equal(c.saved, []uint32{0}) || !slices.Equal(c.answers, []uint32{0}) {
		t.Errorf("%+v", c)
	}
}

type full struct{}

func (full) Error() string  { return "disk full" }
func (full) TryLater() bool { return true }

// A write that fails for now, and a count that cannot be stored, keep the client from being told that its stanzas are handled; what can never be
// stored does not.
func TestHandledFails(t *testing.T) {
	t.Parallel()
	c := &client{}
	h := NewHandled(0, 0, c.hooks())
	write := h.Begin().BeginWrite()
	h.End()
	h.Request()
	write(full{})
	stanzas(h, 1)
	h.Request()
	if n, _ := h.Count(); n != 0 || c.failed != 1 || len(c.saves) != 0 || h.Settled() != nil {
		t.Errorf("%d handled, %+v", n, c)
	}
	c = &client{}
	h = NewHandled(0, 0, c.hooks())
	write = h.Begin().BeginWrite()
	h.End()
	settled := h.Settled()
	write(errors.New("refused"))
	<-settled
	h.Request()
	c.commit(full{})
	h.Request()
	if c.failed != 1 || len(c.answers) != 0 || !slices.Equal(c.saved, []uint32{1}) {
		t.Errorf("%+v", c)
	}
}

func TestHandledConcurrent(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	last, wait := uint32(0), sync.WaitGroup{}
	h := NewHandled(0, 0, HandledHooks{
		Save: func(_ uint32, done func(error)) { wait.Go(func() { done(nil) }) },
		Answer: func(n uint32) {
			mu.Lock()
			defer mu.Unlock()
			last = max(last, n)
		},
	})
	for range 1000 {
		token := h.Begin()
		for range 2 {
			done := token.BeginWrite()
			wait.Go(func() { done(nil) })
		}
		h.End()
		h.Request()
	}
	wait.Wait()
	if n, _ := h.Count(); n != 1000 || last != 1000 {
		t.Errorf("%d handled, %d told", n, last)
	}
}

func TestID(t *testing.T) {
	t.Parallel()
	id, text := NewID()
	other, _ := NewID()
	same, ok := ParseID(text)
	if !ok || !same.Equal(id) || id.Equal(other) || !StoredID(id.Name, id.Hash()).Equal(id) || id.IsZero() || len(text) < 40 {
		t.Errorf("%q", text)
	}
	for _, text := range []string{"", ".", "x.y", text[:16], strings.Repeat("x", 16) + "." + strings.Repeat("y", 5000)} {
		if _, ok := ParseID(text); ok {
			t.Errorf("%q is taken for an id", text)
		}
	}
}

// A restored session gets from the archive what it was delivered, in the form in which it was.
func TestReplay(t *testing.T) {
	t.Parallel()
	phone := Receiver{JID: jid.MustParse("ann@a.test/phone"), Available: true, Carbons: true}
	quiet := Receiver{JID: jid.MustParse("ann@a.test/phone")}
	for _, c := range []struct {
		from, to string
		receiver Receiver
		want     string // first child, empty for nothing
	}{
		{"bob@b.test/x", "ann@a.test", phone, "body"},
		{"bob@b.test/x", "ann@a.test/phone", phone, "body"},
		{"bob@b.test/x", "ann@a.test/phone", quiet, "body"},
		{"bob@b.test/x", "ann@a.test", quiet, ""},
		{"bob@b.test/x", "ann@a.test/desk", phone, "received"},
		{"bob@b.test/x", "ann@a.test/desk", quiet, ""},
		{"ann@a.test/desk", "bob@b.test", phone, "sent"},
		{"ann@a.test/desk", "bob@b.test", quiet, ""},
		{"ann@a.test/phone", "bob@b.test", phone, ""},
	} {
		st := stanza.NewMessage(jid.MustParse(c.to), jid.MustParse(c.from), stanza.TypeChat)
		st.Payload = "<body>x</body>"
		id := stanza.NewID()
		got := c.receiver.Replay(archive.Entry{ID: id, At: time.Now(), Stanza: st})
		name := ""
		if got != nil {
			name = got.FirstChild().Local
		}
		if name != c.want {
			t.Errorf("%s to %s: %q, not %q", c.from, c.to, name, c.want)
		}
		if name == "body" && (got.Entry != id || !strings.Contains(got.Payload, id)) {
			t.Errorf("without its id: %v", got)
		}
	}
	if phone.Replay(archive.Entry{ID: stanza.NewID()}) != nil {
		t.Error("a deleted message")
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	at := func(n int, entry string) Stanza {
		return Stanza{At: time.Unix(int64(n), 0), Stanza: &stanza.Stanza{ID: entry, Entry: entry}}
	}
	got := ""
	for _, s := range Merge([]Stanza{at(2, "b"), at(4, "d")}, []Stanza{at(1, "a"), at(2, "b"), at(3, "c"), at(5, "")}) {
		got += s.Stanza.ID
	}
	if got != "abcd" {
		t.Error(got)
	}
}

// Only what cannot be restored otherwise is stored when it is delivered.
func TestAlone(t *testing.T) {
	t.Parallel()
	ann, bob := jid.MustParse("ann@a.test"), jid.MustParse("bob@b.test/x")
	k := NewKeeper(ann)
	text := stanza.NewMessage(ann, bob, stanza.TypeChat, stanza.TextElement(stanza.NSClient, "body", "x"))
	archived := message.WithStanzaID(text, ann, "id")
	archived.Entry = "id"
	elsewhere := text.Copy()
	elsewhere.Entry = "id" // of the sender's archive
	for name, c := range map[string]struct {
		st   *stanza.Stanza
		want bool
	}{
		"message":               {text, true},
		"archived":              {archived, false},
		"archived elsewhere":    {elsewhere, true},
		"error":                 {stanza.NewMessage(ann, bob, stanza.TypeError), true},
		"room":                  {stanza.NewMessage(ann, bob, stanza.TypeGroupchat, stanza.TextElement(stanza.NSClient, "body", "x")), false},
		"chat state":            {stanza.NewMessage(ann, bob, stanza.TypeChat, stanza.NewElement(message.NSChatStates, "active")), false},
		"roster push":           {stanza.NewIQ(ann, ann, stanza.TypeSet, stanza.NewElement("jabber:iq:roster", "query")), true},
		"result":                {&stanza.Stanza{Kind: stanza.IQ, Type: stanza.TypeResult, From: ann}, false},
		"request of a client":   {stanza.NewIQ(ann, bob, stanza.TypeSet, stanza.NewElement("x", "y")), false},
		"presence":              {stanza.NewPresence(ann, bob, ""), false},
		"subscription":          {stanza.NewPresence(ann, bob, stanza.TypeSubscribe), true},
		"copy for this session": {message.Carbon(text, message.Received, jid.MustParse("ann@a.test/p")), false},
	} {
		if got := k.Alone(c.st); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
