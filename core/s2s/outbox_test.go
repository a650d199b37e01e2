package s2s

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/s2s/outbox"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// memoryOutbox is an Outbox whose disk is memory.
type memoryOutbox struct {
	mu    sync.Mutex
	list  []*stanza.Stanza // that are not removed, in order
	added []string         // ids
	left  []*stanza.Stanza // of an earlier process
	at    time.Time        // of those
	held  bool             // nothing is written
	dones []func(error)    // of what is not written
}

func (m *memoryOutbox) Add(st *stanza.Stanza, done func(error)) func() {
	m.mu.Lock()
	m.list, m.added = append(m.list, st), append(m.added, st.ID)
	held := m.held
	if done != nil && held {
		m.dones = append(m.dones, done)
	}
	m.mu.Unlock()
	if done != nil && !held {
		done(nil)
	}
	return m.remover(st)
}

func (m *memoryOutbox) remover(st *stanza.Stanza) func() {
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.list = slices.DeleteFunc(m.list, func(other *stanza.Stanza) bool { return other == st })
	}
}

func (m *memoryOutbox) Load(_ context.Context, each func(*stanza.Stanza, time.Time, func())) error {
	m.list = slices.Clone(m.left)
	for _, st := range m.left {
		each(st, m.at, m.remover(st))
	}
	return nil
}

func (m *memoryOutbox) Flush(context.Context) error { return nil }

// ids returns those of the messages that are not removed.
func (m *memoryOutbox) ids() (ids []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, st := range m.list {
		ids = append(ids, st.ID)
	}
	return ids
}

// wantKept waits until the outbox has these messages and no others.
func (o *node) wantKept(ids ...string) {
	o.t.Helper()
	rawstream.Eventually(o.t, fmt.Sprintf("%q in the outbox", ids), func() bool { return slices.Equal(o.kept.ids(), ids) })
}

// A message leaves the outbox when the other server has acknowledged it, or when the sender has got it back.
func TestOutbox(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a, b := newNode(t, n, "a.test", nil), newNode(t, n, "b.test", nil)
	for i := range 25 {
		id := fmt.Sprint(i)
		a.send("juliet@b.test", "romeo@a.test/x", id)
		b.wants("romeo@a.test/x", id)
	}
	a.send("juliet@nowhere.test", "romeo@a.test/x", "lost")
	a.wantsError("lost", "remote-server-not-found")
	a.send("juliet@nowhere.test", "romeo@a.test/x", "again") // during the back-off
	a.wantsError("again", "remote-server-not-found")
	a.wantKept()
	if got := len(a.kept.added); got != 27 {
		t.Errorf("%d messages were kept", got)
	}
}

// The same message sent twice is kept twice.
func TestOutboxSame(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	n.set("b.test", host{hangs: true})
	a := newNode(t, n, "a.test", nil)
	st := chatTo("juliet@b.test", "1")
	a.router.Route(st)
	a.router.Route(st)
	a.wantKept("1", "1")
}

func chatTo(to, text string) *stanza.Stanza {
	st := stanza.NewMessage(jid.MustParse(to), jid.MustParse("romeo@a.test/x"), stanza.TypeChat, stanza.TextElement(stanza.NSClient, "body", text))
	st.ID = text
	return st
}

// taker is a server by hand without stream management: it accepts what is sent and lets read have the connection.
func taker(t *testing.T, n *network, domain string, read func(*rawstream.Peer)) {
	cert := n.ca.sign(t, nil, domain)
	reached(t, n, domain, func(p *rawstream.Peer) {
		answerTLS(p, domain, cert, offerExternal)
		p.Until("</auth>")
		p.Send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
		answerHeader(p, domain, "")
		read(p)
	})
}

// Without stream management a message stays for a while after it was written, or until the stream ends properly.
func TestOutboxWithoutManagement(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	end, seen := make(chan bool), make(chan bool, 10)
	taker(t, n, "b.test", func(p *rawstream.Peer) {
		for _, text := range []string{"first", "second"} {
			p.Until(text)
			p.Until("</message>")
			seen <- true
		}
		<-end
		p.Send("</stream:stream>")
		p.Until("</stream:stream>")
	})
	a := newNode(t, n, "a.test", nil)
	a.send("juliet@b.test", "romeo@a.test/x", "first")
	<-seen
	a.server.links.outbox.Sweep(time.Now())
	a.wantKept("first")
	rawstream.Eventually(t, "settled", func() bool { // it may not be noted as written yet
		a.server.links.outbox.Sweep(time.Now().Add(time.Hour))
		return len(a.kept.ids()) == 0
	})
	a.send("juliet@b.test", "romeo@a.test/x", "second")
	<-seen
	a.wantKept("second")
	close(end)
	a.wantKept()
}

// A message that does not fit goes back to its sender with an error, and those of other domains are kept.
func TestOutboxLimits(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string]outbox.Limits{
		"stanzas": {Stanzas: 2},
		"bytes":   {Bytes: 600},
		"total":   {Total: 600}, // of which another pair has its share
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			n.set("b.test", host{hangs: true})
			n.set("c.test", host{hangs: true})
			a := newNode(t, n, "a.test", func(o *Config) { o.Limits.WaitLimits.Outbox = limits })
			for i := range 3 {
				a.send("juliet@b.test", "romeo@a.test/x", fmt.Sprint(i))
			}
			a.wantsError("2", "resource-constraint")
			a.send("juliet@c.test", "romeo@a.test/x", "other")
			a.wantKept("0", "1", "other")
			k := &a.server.Counters.LimitCounters.Outbox
			if k.Stanzas.Load()+k.Bytes.Load()+k.Total.Load() == 0 {
				t.Error("not counted")
			}
		})
	}
}

// What an earlier process has left is sent before anything else, with a delay, or goes back to its sender.
func TestRestore(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	b := newNode(t, n, "b.test", nil)
	at := time.Now().Add(-time.Hour)
	a := newNode(t, n, "a.test", func(o *Config) {
		kept := o.Outbox.(*memoryOutbox)
		kept.at = at
		foreign := chatTo("juliet@b.test", "foreign")
		foreign.From = jid.MustParse("romeo@gone.test/x")
		kept.left = []*stanza.Stanza{chatTo("juliet@b.test", "1"), chatTo("juliet@nowhere.test", "2"), foreign, chatTo("juliet@b.test", "3"), chatTo("romeo@a.test", "own")}
		o.Limits.WaitLimits.Stanzas = 1 // whatever the limits
	})
	if st := a.arrived.next(t); st.Body() != "own" || st.Child(message.NSDelay, "delay") == nil { // the domain was another server's
		t.Errorf("got %s", st)
	}
	for _, text := range []string{"1", "3"} {
		st := b.arrived.next(t)
		if delay := st.Child(message.NSDelay, "delay"); st.Body() != text || delay == nil || delay.Attr("from") != "a.test" || delay.Attr("stamp") != message.Stamp(at) {
			t.Errorf("got %s, want %s", st, text)
		}
	}
	a.wantsError("2", "remote-server-not-found")
	a.send("juliet@b.test", "romeo@a.test/x", "4")
	b.wants("romeo@a.test/x", "4")
	a.wantKept()
	a.quiet()
}

// Messages for many domains that do not answer leave most attempts to others.
func TestRestoreMany(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	b := newNode(t, n, "b.test", nil)
	a := newNode(t, n, "a.test", func(o *Config) {
		kept := o.Outbox.(*memoryOutbox)
		for i := range 100 {
			domain := fmt.Sprintf("dead%d.test", i)
			n.set(domain, host{hangs: true})
			for j := range 100 {
				kept.left = append(kept.left, chatTo("juliet@"+domain, fmt.Sprint(j)))
			}
		}
		o.Limits.WaitLimits.Attempts = 80
	})
	rawstream.Eventually(t, "attempts", func() bool { return a.server.opening.attempts.Load() == 10 })
	begun := time.Now()
	a.send("juliet@b.test", "romeo@a.test/x", "1")
	b.wants("romeo@a.test/x", "1")
	if took := time.Since(begun); took > rawstream.Timeout/2 {
		t.Errorf("a message for another domain took %v", took)
	}
	if got := a.server.opening.attempts.Load(); got > 11 {
		t.Errorf("%d attempts", got)
	}
	a.shutdown()
	if got := len(a.kept.ids()); got != 10_000 {
		t.Errorf("%d are left", got)
	}
}

// When the server stops, what waits stays in the outbox, and the senders get no error.
func TestOutboxAtStop(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	n.set("b.test", host{hangs: true})
	a := newNode(t, n, "a.test", nil)
	a.send("juliet@b.test", "romeo@a.test/x", "1")
	a.router.Route(stanza.NewIQ(jid.MustParse("b.test"), jid.MustParse("romeo@a.test/x"), stanza.TypeGet, stanza.NewElement("urn:xmpp:ping", "ping")))
	a.shutdown()
	a.wantKept("1")
	if st := a.arrived.next(t); st.Kind != stanza.IQ || st.Type != stanza.TypeError {
		t.Errorf("got %s", st)
	}
	a.quiet()
}

// The writes of a stanza have ended when the message is on the disk.
func TestOutboxWrites(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	n.set("b.test", host{hangs: true})
	a := newNode(t, n, "a.test", nil)
	a.kept.held = true
	w := &writes{}
	batch := router.NewBatch(t.Context())
	batch.SetWrites(w)
	a.router.RouteIn(batch, chatTo("juliet@b.test", "1"))
	presence := stanza.NewPresence(jid.MustParse("juliet@b.test"), jid.MustParse("romeo@a.test/x"), "")
	a.router.RouteIn(batch, presence)
	if w.begun != 1 || w.ended != 0 {
		t.Errorf("%d writes have begun, %d have ended", w.begun, w.ended)
	}
	failed := errors.New("disk")
	a.kept.dones[0](failed)
	if w.ended != 1 || w.err != failed {
		t.Errorf("%d writes have ended: %v", w.ended, w.err)
	}
}

// writes counts writes.
type writes struct {
	begun, ended int
	err          error
}

func (w *writes) BeginWrite() func(error) {
	w.begun++
	return func(err error) {
		w.ended++
		w.err = err
	}
}
