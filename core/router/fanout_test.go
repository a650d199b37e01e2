package router

import (
	"context"
	"fmt"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// sharing is a recorder that takes shared stanzas. It records them with the receiver, and whether they were shared.
type sharing struct {
	recorder
	shared int
}

func (p *sharing) DeliverShared(st *stanza.Stanza) {
	p.shared++
	p.Deliver(st.WithTo(p.jid))
}

func (p *sharing) Touch() int { return 1 }

// newBroadcast returns a function of an endpoint of a host with two sessions of romeo: one that takes shared stanzas, and one that does not.
func newBroadcast(t *testing.T, stages ...Stage) (th *testHost, each func([]*stanza.Stanza, []stanza.Receiver), a *sharing, b *recorder) {
	t.Helper()
	th = newTestHost(t, stages...)
	a = &sharing{recorder: recorder{jid: jid.MustParse("romeo@home.test/a"), router: th.router}}
	th.bind(a, BindOptions{})
	b = th.join("romeo@home.test/b", "")
	e, err := th.router.Endpoint(jid.MustParse("room.home.test"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	_, each, _ = e.Broadcast()
	return th, each, a, b
}

func fromRoom(kind stanza.Kind, typ, id string) *stanza.Stanza {
	return &stanza.Stanza{Kind: kind, Type: typ, ID: id, From: jid.MustParse("x@room.home.test/n"), Payload: "<body>x</body>"}
}

func receivers(list ...string) (to []stanza.Receiver) {
	for _, s := range list {
		to = append(to, stanza.Receiver{JID: jid.MustParse(s)})
	}
	return to
}

func ids(list []*stanza.Stanza) (all string) {
	for _, st := range list {
		all += fmt.Sprintf("%s %s→%s ", st.Kind, st.ID, st.To)
	}
	return all
}

// Each receiver gets all stanzas in order and is flushed once, whoever serves it; a session that has replaced another one gets what
// follows.
func TestBroadcast(t *testing.T) {
	t.Parallel()
	th, each, a, b := newBroadcast(t)
	to := receivers("romeo@home.test/a", "romeo@home.test/b", "romeo@home.test/gone", "far@away.test/x")
	list := []*stanza.Stanza{fromRoom(stanza.Message, "groupchat", "1"), fromRoom(stanza.Presence, "", "2"), fromRoom(stanza.Message, "groupchat", "3")}
	for range 2 {
		a.flushes, b.flushes = 0, 0
		each(list, to)
		for who, got := range map[string][]*stanza.Stanza{"romeo@home.test/a": a.take(), "romeo@home.test/b": b.take(), "far@away.test/x": th.remote.take()} {
			if want := fmt.Sprintf("message 1→%[1]s presence 2→%[1]s message 3→%[1]s ", who); ids(got) != want {
				t.Errorf("%s got %s", who, ids(got))
			}
		}
		if a.flushes != 1 || b.flushes != 1 {
			t.Errorf("flushed %d and %d times", a.flushes, b.flushes)
		}
	}
	if a.shared != 4 {
		t.Errorf("%d messages were shared", a.shared)
	}
	c := &sharing{recorder: recorder{jid: a.jid, router: th.router}}
	th.bind(c, BindOptions{Replace: true})
	each(list, to)
	if len(a.take()) != 0 || len(c.take()) != 3 {
		t.Error("the session that was replaced got the stanzas, or its successor did not")
	}
	each([]*stanza.Stanza{list[0], from(fromRoom(stanza.Message, "groupchat", "4"), "bot@elsewhere.test")}, to)
	if len(c.take()) != 0 {
		t.Error("a stanza of another domain was sent")
	}
}

// A stage that skips a stanza is not called for it; one that looks at the receiver gets a stanza with one; one that refuses has the room
// answered.
func TestBroadcastStages(t *testing.T) {
	t.Parallel()
	asked, called := 0, 0
	var to jid.JID
	refused := stanza.ServiceUnavailable("")
	var refuse bool
	_, each, a, b := newBroadcast(t,
		Stage{Name: "skipped", Shared: true, Inbound: func(context.Context, *Pass) error { called++; return nil }, Skip: func(st *stanza.Stanza) bool {
			asked++
			return st.Type == "groupchat"
		}},
		Stage{Name: "addressed", Inbound: func(_ context.Context, p *Pass) error { to = p.Stanza.To; return nil }, Skip: func(st *stanza.Stanza) bool { return st.ID == "shared" }},
		Stage{Name: "refusing", Shared: true, Inbound: func(context.Context, *Pass) error {
			if refuse {
				return refused
			}
			return nil
		}})
	all := receivers("romeo@home.test/a", "romeo@home.test/b")
	each([]*stanza.Stanza{fromRoom(stanza.Message, "groupchat", "1")}, all)
	if asked != 1 || called != 0 || to != b.jid || a.shared != 0 {
		t.Errorf("asked %d times, called %d times, the last receiver was %s, %d shared", asked, called, to, a.shared)
	}
	each([]*stanza.Stanza{fromRoom(stanza.Message, "chat", "shared")}, all)
	if called != 2 || a.shared != 1 {
		t.Errorf("called %d times, %d shared", called, a.shared)
	}
	a.take()
	refuse = true
	each([]*stanza.Stanza{fromRoom(stanza.Message, "groupchat", "shared")}, all)
	if len(a.take()) != 0 || a.shared != 1 {
		t.Error("a refused message was delivered")
	}
}

// What an IQ causes at several receivers is delivered at once, also where there is no session, and flushed together with the rest of the read.
func TestRouteToEach(t *testing.T) {
	t.Parallel()
	th, _, a, b := newBroadcast(t)
	batch := NewBatch(t.Context())
	q := &IQ{Host: th.host, batch: batch}
	to := receivers("romeo@home.test/gone", "far@away.test/x")
	for range receiversPerFlush {
		to = append(to, receivers("romeo@home.test/a", "romeo@home.test/b")...)
	}
	event := from(fromRoom(stanza.Message, "headline", "1"), "juliet@home.test")
	q.RouteToEach([]*stanza.Stanza{event}, to)
	q.RouteToEach([]*stanza.Stanza{event}, to[:4])
	if n := len(a.take()); n != receiversPerFlush+1 || a.shared != n || len(b.take()) != n {
		t.Errorf("%d messages, %d shared", n, a.shared)
	}
	if n := len(th.remote.take()); n != 2 {
		t.Errorf("%d messages for another server", n)
	}
	if a.flushes != 0 {
		t.Error("flushed before the end of the read")
	}
	batch.Flush()
	if a.flushes != 1 || b.flushes != 1 {
		t.Errorf("flushed %d and %d times", a.flushes, b.flushes)
	}
}

// BenchmarkBroadcast measures what a receiver costs without a queue.
func BenchmarkBroadcast(b *testing.B) {
	th, _, addresses := bindMany(b, 1000)
	e, err := th.router.Endpoint(jid.MustParse("room.home.test"))
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	_, each, _ := e.Broadcast()
	to := make([]stanza.Receiver, len(addresses))
	for i, j := range addresses {
		to[i].JID = j
	}
	list := []*stanza.Stanza{fromRoom(stanza.Message, "groupchat", "1")}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i += len(to) {
		each(list, to)
	}
}
