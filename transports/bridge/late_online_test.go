package bridge_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-im/dragoman/transports"
)

// lateNet is a network whose sessions connect a while after they are opened: what is send
// in between is delivered to nobody.
type lateNet struct {
	transports.Network
	lost atomic.Bool
	last atomic.Pointer[lateSink]
}

func (n *lateNet) Open(ctx context.Context, a transports.Login, s transports.Sink) (transports.Client, error) {
	late := &lateSink{Sink: s, n: n}
	if n.lost.Load() {
		s.State(transports.Connecting, nil)
	}
	n.last.Store(late)
	return n.Network.Open(ctx, a, late)
}

type lateSink struct {
	transports.Sink
	n *lateNet
}

func (s *lateSink) State(state transports.State, cause error) {
	if !s.n.lost.Load() {
		s.Sink.State(state, cause)
	}
}

func (s *lateSink) Deliver(ctx context.Context, e transports.Event) error {
	if s.n.lost.Load() {
		return nil
	}
	return s.Sink.Deliver(ctx, e)
}

// What is send after a session was opened and before it is online is read from the history.
func TestMessageBeforeTheClientIsOnline(t *testing.T) {
	withGateway(t, func(h *harness) {
		late := &lateNet{Network: h.net}
		h.net = late
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.world.Say("plaza", "cleo", "known")
		h.world.SayDirect("cleo", "ann", "known")
		time.Sleep(time.Minute)
		h.stop()
		late.lost.Store(true)
		h.start()
		h.join(phone, "plaza")
		h.discard()
		time.Sleep(time.Second)
		h.world.Say("plaza", "cleo", "missed")
		h.world.SayDirect("cleo", "ann", "missed")
		synctest.Wait()
		h.expect(phone)
		late.lost.Store(false)
		late.last.Load().State(transports.Online, nil)
		h.world.Say("plaza", "cleo", "live")
		h.world.SayDirect("cleo", "ann", "live")
		time.Sleep(time.Minute)
		got := h.messages(phone) // in order within each room
		slices.SortStableFunc(got, func(a, b string) int { return strings.Compare(a[:5], b[:5]) })
		if want := []string{"cleo: missed", "cleo: live", "plaza/Cleo: missed", "plaza/Cleo: live"}; !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
	})
}
