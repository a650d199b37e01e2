package bridge_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// sinks is a network whose sinks a test delivers to itself.
type sinks struct {
	transports.Network
	mu    sync.Mutex
	sinks []transports.Sink
}

func (n *sinks) Open(ctx context.Context, a transports.Login, s transports.Sink) (transports.Client, error) {
	n.mu.Lock()
	n.sinks = append(n.sinks, s)
	n.mu.Unlock()
	return n.Network.Open(ctx, a, s)
}

func (n *sinks) all() []transports.Sink {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.sinks)
}

func number(i int) transports.Event {
	return transports.Event{
		Key: fmt.Sprint("number/", i), Room: "plaza", Kind: transports.Public, Actor: "cleo", At: time.Now(),
		Body: transports.Message{ID: transports.MessageID(fmt.Sprintf("n%04d", i)), Text: richtext.ParseStyling(fmt.Sprint(i))},
	}
}

// An event that several logins report at the same time is shown once, and none is shown before one that
// a login has reported earlier; each login is informed that its event is stored.
func TestSeveralAccountsBringTheSame(t *testing.T) {
	const many = 3000
	withGateway(t, func(h *harness) {
		net := &sinks{Network: h.net}
		h.net = net
		h.start()
		people := []jid.JID{phone, desk}
		h.link(phone, "ann")
		h.link(desk, "ben")
		for _, p := range people {
			h.join(p, "plaza")
		}
		h.discard()
		var kept atomic.Int64
		var posting sync.WaitGroup
		for _, sink := range net.all() {
			posting.Go(func() {
				for i := range many {
					transports.Post(context.Background(), sink, number(i), func(err error) {
						if err != nil {
							t.Error(err)
						}
						kept.Add(1)
					})
				}
			})
		}
		posting.Wait()
		synctest.Wait()
		if n := kept.Load(); n != many*int64(len(net.all())) {
			t.Errorf("%d were notified to be kept", n)
		}
		var want []string
		for i := range many {
			want = append(want, fmt.Sprint("plaza/Cleo: ", i))
		}
		for _, p := range people {
			h.expect(p, want...)
		}
		if d, e := h.g.Counters.Duplicates.Load(), h.g.Counters.Events.Load(); d < many || e < many {
			t.Errorf("%d events, %d duplicates", e, d)
		}
	})
}

// An event that could not be written was not brought by the other account either: both come again.
func TestBothAreNotifiedOfAFailure(t *testing.T) {
	withGateway(t, func(h *harness) {
		net := &sinks{Network: h.net}
		h.net = net
		full := &atomic.Bool{}
		h.engine = func(s tables.Engine) tables.Engine { return failingStore{s, full} }
		h.start()
		h.link(phone, "ann")
		h.link(desk, "ben")
		h.join(phone, "plaza")
		h.discard()
		full.Store(true)
		var failed atomic.Int64
		for _, sink := range net.all() {
			transports.Post(context.Background(), sink, number(1), func(err error) {
				if err != nil {
					failed.Add(1)
				}
			})
		}
		synctest.Wait()
		full.Store(false)
		if n := failed.Load(); n != 2 {
			t.Errorf("%d were notified", n)
		}
		time.Sleep(time.Minute) // both sessions are opened again
		transports.Post(context.Background(), net.all()[len(net.all())-1], number(1), func(err error) {
			if err != nil {
				t.Error(err)
			}
		})
		h.expect(phone, "plaza/Cleo: 1")
	})
}

// A room that was removed takes what is known of its events along: another room may get its number.
func TestRemovedRoomIsForgotten(t *testing.T) {
	withGateway(t, func(h *harness) {
		net := &sinks{Network: h.net}
		h.net = net
		h.start()
		for range 2 {
			h.link(phone, "ann")
			h.join(phone, "plaza")
			h.discard()
			sinks := net.all()
			transports.Post(context.Background(), sinks[len(sinks)-1], number(1), func(err error) {
				if err != nil {
					t.Error(err)
				}
			})
			h.expect(phone, "plaza/Cleo: 1")
			if a := h.ask(phone, domain, stanza.TypeSet, stanza.NewElement(nsRegister, "query").Add(stanza.NewElement(nsRegister, "remove"))); a.Type != stanza.TypeResult {
				t.Fatal(a)
			}
		}
	})
}
