package bridge_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-im/dragoman/transports"
)

// impatient is a network that has given up waiting by the time it hands an event over.
type impatient struct{ transports.Network }

func (n impatient) Open(ctx context.Context, a transports.Login, s transports.Sink) (transports.Client, error) {
	return n.Network.Open(ctx, a, impatientSink{s})
}

type impatientSink struct{ transports.Sink }

func (s impatientSink) Deliver(ctx context.Context, e transports.Event) error {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return s.Sink.Deliver(ctx, e)
}

// An event whose socket ended while it was handed over is kept as well: were it dropped, the next
// one could pass it, and it would never be read.
func TestEventOfASocketThatEnded(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.net = impatient{h.net}
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		want := counts(h, 1, 100)
		synctest.Wait()
		h.expect(phone, want...)
	})
}

// lossy is a network that hands an event over once, or not at all while it is lost.
type lossy struct {
	transports.Network
	sink transports.Sink
	lost atomic.Bool
}

func (n *lossy) Open(ctx context.Context, a transports.Login, s transports.Sink) (transports.Client, error) {
	n.sink = s
	session, err := n.Network.Open(ctx, a, lossySink{s, n})
	if err != nil {
		return nil, err
	}
	return overlappingHistory{session.(full)}, nil
}

func (n *lossy) ClientType() transports.Client { return overlappingHistory{} }

// overlappingHistory shows, before what came after a message, all that came before it too.
type overlappingHistory struct{ full }

func (s overlappingHistory) History(ctx context.Context, request transports.HistoryRequest) (transports.HistoryPage, error) {
	page, err := s.full.History(ctx, request)
	if err != nil || request.After == "" {
		return page, err
	}
	all, err := s.full.History(ctx, transports.HistoryRequest{Room: request.Room, Limit: 1000})
	known := slices.IndexFunc(all.Events, func(e transports.Event) bool { return e.Body.(transports.Message).ID > request.After })
	if known < 0 {
		known = len(all.Events)
	}
	page.Events = append(all.Events[:known:known], page.Events...)
	return page, err
}

type lossySink struct {
	transports.Sink
	n *lossy
}

func (s lossySink) Deliver(ctx context.Context, e transports.Event) error {
	if !s.n.lost.Load() {
		_ = s.Sink.Deliver(ctx, e)
	}
	return nil
}

// counts has Cleo count in the plaza, and gives what is to be seen of it.
func counts(h *harness, from, to int) (want []string) {
	for i := from; i <= to; i++ {
		h.world.Say("plaza", "cleo", fmt.Sprint(i))
		want = append(want, fmt.Sprint("plaza/Cleo: ", i))
	}
	return want
}

// What a full inbox refuses is not passed by what comes when it is less full: it is read from the
// history once the inbox is empty.
func TestFullInbox(t *testing.T) {
	withGateway(t, func(h *harness) {
		net := &lossy{Network: h.net}
		h.net = net
		h.set.Pending, h.set.Page = 10, 7
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.world.Say("plaza", "cleo", "0")
		h.discard()
		var want []string
		h.g.ServerAway()
		want = append(want, counts(h, 1, 25)...)
		synctest.Wait()
		h.g.ServerBack()
		want = append(want, counts(h, 26, 30)...)
		time.Sleep(time.Minute)
		want = append(want, counts(h, 31, 35)...)
		time.Sleep(time.Minute)
		h.expect(phone, want...)
	})
}

// So it is while the past is being read: what waits behind it does not keep it out.
func TestFullInboxBehindTheCatchUp(t *testing.T) {
	withGateway(t, func(h *harness) {
		net := &lossy{Network: h.net}
		h.net = net
		h.set.Pending, h.set.Page = 10, 7
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.world.Say("plaza", "cleo", "0")
		h.discard()
		var want []string
		h.world.Outage(true)
		want = append(want, counts(h, 1, 5)...)
		read := make(chan struct{})
		h.world.HoldHistory(read)
		h.world.Outage(false)
		synctest.Wait()
		want = append(want, counts(h, 6, 40)...)
		synctest.Wait()
		close(read)
		time.Sleep(2 * time.Minute)
		want = append(want, counts(h, 41, 45)...)
		time.Sleep(time.Minute)
		h.expect(phone, want...)
	})
}

// An event that the session itself could not make is read from the history, before what comes
// after it in its room; other rooms go on.
func TestEventThatTheSessionMissed(t *testing.T) {
	withGateway(t, func(h *harness) {
		net := &lossy{Network: h.net}
		h.net = net
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.join(phone, "den")
		h.world.Say("plaza", "cleo", "0")
		h.world.Say("den", "cleo", "0")
		h.discard()
		net.lost.Store(true)
		h.world.Say("plaza", "cleo", "1")
		synctest.Wait()
		net.lost.Store(false)
		read := make(chan struct{})
		h.world.HoldHistory(read)
		net.sink.Resynced("plaza")
		h.world.Say("plaza", "cleo", "2")
		h.world.Say("den", "cleo", "1")
		h.expect(phone, "den/Cleo: 1")
		close(read)
		time.Sleep(time.Minute)
		h.expect(phone, "plaza/Cleo: 1", "plaza/Cleo: 2")
	})
}

// A message that was overtaken by a later one and then lost is read with the history, and those that
// were there before the account was linked are not told.
func TestMessageThatWasOvertaken(t *testing.T) {
	withGateway(t, func(h *harness) {
		net := &lossy{Network: h.net}
		h.net, h.set.History = net, 5
		for i := range 10 {
			h.world.Say("plaza", "cleo", fmt.Sprint("old ", i))
			h.world.SayDirect("cleo", "ann", fmt.Sprint("old ", i))
		}
		time.Sleep(time.Hour)
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		h.world.Say("plaza", "cleo", "0")
		h.world.SayDirect("cleo", "ann", "0")
		synctest.Wait()
		net.lost.Store(true)
		h.world.Say("plaza", "cleo", "1")
		h.world.SayDirect("cleo", "ann", "1")
		synctest.Wait()
		net.lost.Store(false)
		h.world.Say("plaza", "cleo", "2")
		h.world.SayDirect("cleo", "ann", "2")
		synctest.Wait()
		bothRooms(h, "plaza/Cleo: 0", "plaza/Cleo: 2", "cleo: 0", "cleo: 2")
		h.world.Outage(true)
		h.world.Say("plaza", "cleo", "3")
		h.world.Outage(false)
		time.Sleep(time.Minute)
		bothRooms(h, "plaza/Cleo: 1", "plaza/Cleo: 3", "cleo: 1")
		h.restart()
		h.world.Outage(true)
		h.world.Outage(false)
		time.Sleep(time.Minute)
		h.expect(phone)
	})
}

// bothRooms wants messages, in order within the plaza and then within the conversation.
func bothRooms(h *harness, want ...string) {
	h.Helper()
	got := h.messages(phone)
	slices.SortStableFunc(got, func(a, b string) int { return -strings.Compare(a[:5], b[:5]) })
	if !slices.Equal(got, want) {
		h.Errorf("got %q, want %q", got, want)
	}
}
