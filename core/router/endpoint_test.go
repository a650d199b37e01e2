package router

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEndpointInOrder(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	romeo := th.join("romeo@home.test/x", "0")
	e, err := th.router.Endpoint(jid.MustParse("gate.home.test"))
	if err != nil {
		t.Fatal(err)
	}
	const senders, each = 4, 500
	var wrong atomic.Int64
	next := map[string]int{}
	all := make(chan struct{})
	n := 0
	e.Handle(func(st *stanza.Stanza) {
		if want := next[st.From.String()]; st.ID != strconv.Itoa(want) {
			wrong.Add(1)
		}
		next[st.From.String()]++
		if n++; n == senders*each {
			close(all)
		}
	})
	var wg sync.WaitGroup
	wg.Go(func() { _ = e.Run(t.Context()) })
	for s := range senders {
		wg.Go(func() {
			for i := range each {
				st := from(message("x@gate.home.test", "chat"), "s"+strconv.Itoa(s)+"@home.test/a")
				st.ID = strconv.Itoa(i)
				th.router.Route(st)
			}
		})
	}
	<-all
	e.Close()
	wg.Wait()
	if wrong.Load() > 0 {
		t.Errorf("%d stanzas out of order", wrong.Load())
	}
	e.Send(from(message("romeo@home.test", "chat"), "bot@gate.home.test"))
	e.Send(from(message("romeo@home.test", "chat"), "juliet@home.test/a"))
	if got := romeo.take(); len(got) != 1 || got[0].From.Domain() != "gate.home.test" {
		t.Errorf("romeo got %v", got)
	}
	if th.router.Serves(e.Domain()) {
		t.Error("still attached")
	}
}

func TestEndpointCollects(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	romeo := th.join("romeo@home.test/x", "0")
	romeo.flushes = 0
	e, err := th.router.Endpoint(jid.MustParse("gate.home.test"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	send, flush := e.Collect()
	for range 5 {
		send(from(message("romeo@home.test/x", "chat"), "bot@gate.home.test"))
		send(from(message("romeo@home.test/x", "chat"), "juliet@home.test/a"))
	}
	if romeo.flushes != 0 {
		t.Error("flushed too early")
	}
	flush()
	if romeo.flushes != 1 || len(romeo.take()) != 5 {
		t.Errorf("flushed %d times", romeo.flushes)
	}
}

// A handler that hangs costs its senders an error, not the router.
func TestEndpointOverflow(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	romeo := th.join("romeo@home.test/x", "0")
	e, err := th.router.Endpoint(jid.MustParse("gate.home.test"))
	if err != nil {
		t.Fatal(err)
	}
	big := message("x@gate.home.test", "chat")
	big.Payload = "<body>" + string(make([]byte, 1<<20)) + "</body>"
	for range endpointBytes>>20 + 2 {
		th.submit("romeo@home.test/x", big)
	}
	got := romeo.take()
	if len(got) == 0 || condition(got[:1]) != "resource-constraint" || th.router.Counters.Overflow.Load() != uint64(len(got)) {
		t.Fatalf("%d answers", len(got))
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := e.Run(ctx); err != nil {
		t.Fatal(err)
	}
	left := romeo.take()
	if len(left)+len(got) != endpointBytes>>20+2 || condition(left[:1]) != "service-unavailable" {
		t.Errorf("%d refused, %d answered at the end", len(got), len(left))
	}
	e.Deliver(from(message("x@gate.home.test", "chat"), "romeo@home.test/x"))
	if c := condition(romeo.take()); c != "service-unavailable" {
		t.Errorf("after the end: %q", c)
	}
}

func TestEndpointSurvivesPanic(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	romeo := th.join("romeo@home.test/x", "0")
	e, err := th.router.Endpoint(jid.MustParse("gate.home.test"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	e.Handle(func(st *stanza.Stanza) {
		if n++; n == 1 {
			panic("handler fault")
		}
		e.Close()
	})
	th.submit("romeo@home.test/x", message("x@gate.home.test", "chat"))
	th.submit("romeo@home.test/x", message("x@gate.home.test", "chat"))
	if err := e.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c := condition(romeo.take()); n != 2 || c != "internal-server-error" {
		t.Errorf("handled %d, answered %q", n, c)
	}
}

func TestEndpointWithoutHandler(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	romeo := th.join("romeo@home.test/x", "0")
	e, err := th.router.Endpoint(jid.MustParse("gate.home.test"))
	if err != nil {
		t.Fatal(err)
	}
	th.submit("romeo@home.test/x", message("x@gate.home.test", "chat"))
	e.Close()
	_ = e.Run(t.Context())
	if c := condition(romeo.take()); c != "service-unavailable" {
		t.Errorf("answered %q", c)
	}
}
