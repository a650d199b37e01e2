package bridge_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/pipeline"
	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

var errCut = errors.New("the process is dead")

// stoppedStore is a store whose writes have no effect from the moment at which the process is
// thought to have been killed.
type stoppedStore struct {
	tables.Engine
	dead *atomic.Bool
}

func (m stoppedStore) Write(ctx context.Context, fn func(*sql.Tx) error) error {
	if m.dead.Load() {
		return errCut
	}
	return m.Engine.Write(ctx, fn)
}

// NewPipeline is that of the store, which keeps what was sent before the kill.
func (m stoppedStore) NewPipeline(name, statement string, arguments int) *pipeline.Pipeline {
	return m.Engine.(*store.Store).NewPipeline(name, statement, arguments)
}

// stoppedNetwork is a network whose calls have no effect after the kill.
type stoppedNetwork struct {
	transports.Network
	dead *atomic.Bool
}

func (n stoppedNetwork) Open(ctx context.Context, a transports.Login, sink transports.Sink) (transports.Client, error) {
	s, err := n.Network.Open(ctx, a, sink)
	if err != nil {
		return nil, err
	}
	return stoppedClient{s.(full), n.dead}, nil
}

func (n stoppedNetwork) ClientType() transports.Client { return stoppedClient{} }

// full is all that the echo session has.
type full interface {
	transports.Client
	transports.Editor
	transports.Deleter
	transports.Reactor
	transports.Typer
	transports.Reader
	transports.Historian
	transports.Directory
	transports.DirectOpener
	transports.MemberLister
	transports.Changer
	transports.Profiler
}

type stoppedClient struct {
	full
	dead *atomic.Bool
}

func (s stoppedClient) Send(ctx context.Context, m transports.Outgoing) (transports.Sent, error) {
	if s.dead.Load() {
		return transports.Sent{}, errCut
	}
	return s.full.Send(ctx, m)
}

// kill ends the gateway as kill -9 does: nothing that it does from now on has an effect.
func (h *harness) kill(dead *atomic.Bool) {
	dead.Store(true)
	h.endpoint.cut.Store(true)
}

// killedForAnHour kills the gateway, starts another one on its data an hour later, and waits until that has done its work.
func (h *harness) killedForAnHour(dead *atomic.Bool) {
	h.kill(dead)
	h.stop()
	dead.Store(false)
	time.Sleep(time.Hour)
	h.discard()
	h.start()
	time.Sleep(5 * time.Minute)
}

// Kill the gateway at each step of a message's way, in both directions: after the
// restart every message is there once and in order.
func TestKilledAtEachStep(t *testing.T) {
	steps := []string{"deliver", "kept", "worked", "committed", "stanza", "handed over", "stanza in", "outbox", "call", "answered", "sent"}
	for _, step := range steps {
		for n := 1; n <= 3; n++ {
			t.Run(fmt.Sprintf("%s %d", step, n), func(t *testing.T) {
				withGateway(t, func(h *harness) { killAt(h, step, n) })
			})
		}
	}
}

func killAt(h *harness, step string, n int) {
	dead := &atomic.Bool{}
	var armed atomic.Bool
	left := atomic.Int32{}
	left.Store(int32(n))
	h.net = stoppedNetwork{faultnet.New(h.world), dead}
	h.engine = func(s tables.Engine) tables.Engine { return stoppedStore{s, dead} }
	h.trace = func(name string, _ ...slog.Attr) {
		if armed.Load() && name == step && left.Add(-1) == 0 {
			h.kill(dead)
		}
	}
	h.settle = func(done func()) {
		if !dead.Load() {
			done()
		}
	}
	h.start()
	h.link(phone, "ann")
	h.join(phone, "plaza")
	h.discard()
	armed.Store(true)
	var sent []*stanza.Stanza
	send := func(dir, i int) {
		if dir == 0 {
			h.world.SayDirect("cleo", "ann", fmt.Sprint("in ", i))
			return
		}
		st := stanza.NewMessage(contact("cleo"), phone, stanza.TypeChat, stanza.TextElement("", "body", fmt.Sprint("out ", i)),
			stanza.NewElement("urn:xmpp:receipts", "request"), originID(stanza.NewID()))
		sent = append(sent, st)
		h.endpoint.deliver(st)
	}
	for i := range 4 {
		send(0, i)
		send(1, i)
		synctest.Wait()
	}
	got := h.messages(phone)
	// The process is gone; its delivery log and database stay.
	h.kill(dead)
	h.stop()
	dead.Store(false)
	armed.Store(false)
	for i := 4; i < 6; i++ {
		h.world.SayDirect("cleo", "ann", fmt.Sprint("in ", i))
	}
	h.start()
	for _, st := range sent { // a client that got no receipt sends again
		h.endpoint.deliver(st)
	}
	time.Sleep(time.Minute)
	got = append(got, h.messages(phone)...)
	var in, out []string
	receipts := map[string]bool{}
	for _, m := range got {
		if strings.Contains(m, "received") {
			receipts[m] = true
		} else {
			in = append(in, m)
		}
	}
	var wantIn, wantOut []string
	for i := range 6 {
		wantIn = append(wantIn, fmt.Sprint("cleo: in ", i))
	}
	for i := range 4 {
		wantOut = append(wantOut, fmt.Sprint("ann: out ", i))
	}
	if step == "stanza" {
		// Between the Endpoint and the delivery log: it comes again, under the same id.
		in = slices.Compact(in)
	}
	if fmt.Sprint(in) != fmt.Sprint(wantIn) {
		h.Errorf("in: %q", in)
	}
	for _, text := range h.world.Texts(faultnet.DirectRoom("ann", "cleo")) {
		if strings.HasPrefix(text, "ann") {
			out = append(out, text)
		}
	}
	if fmt.Sprint(out) != fmt.Sprint(wantOut) {
		h.Errorf("out: %q", out)
	}
	if len(receipts) != 4 {
		h.Errorf("receipts: %v", receipts)
	}
}

// failingStore is a store that refuses to write for a while, as on a full disk.
type failingStore struct {
	tables.Engine
	full *atomic.Bool
}

func (b failingStore) Write(ctx context.Context, fn func(*sql.Tx) error) error {
	if b.full.Load() {
		return errors.New("database or disk is full")
	}
	return b.Engine.Write(ctx, fn)
}

// On a full disk nothing is acknowledged, and nothing is lost.
func TestFullDisk(t *testing.T) {
	withGateway(t, func(h *harness) {
		full := &atomic.Bool{}
		h.engine = func(s tables.Engine) tables.Engine { return failingStore{s, full} }
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		full.Store(true)
		h.sendToRoom(phone, "plaza", "refused")
		h.expect(phone, "plaza error resource-constraint")
		h.world.Say("plaza", "cleo", "kept by the network")
		time.Sleep(time.Second)
		h.expect(phone)
		full.Store(false)
		time.Sleep(time.Minute)
		h.expect(phone, "plaza/Cleo: kept by the network")
		after := make(chan struct{})
		h.world.Fault(faultnet.Fault{After: after})
		h.sendToRoom(phone, "plaza", "on its way")
		full.Store(true)
		close(after) // its id cannot be written down now
		time.Sleep(time.Minute)
		h.expect(phone, "plaza/Ann: on its way")
		full.Store(false)
		time.Sleep(time.Minute)
		h.world.Say("plaza", "cleo", "again")
		synctest.Wait()
		h.sendToRoom(phone, "plaza", "and me")
		h.expect(phone, "plaza/Cleo: again", "plaza/Ann: and me")
		h.expectNetwork("plaza", "cleo: kept by the network", "ann: on its way", "cleo: again", "ann: and me")
		h.sendToRoom(phone, "plaza", "corrected", replace("nothing"))
		h.expect(phone, "plaza error item-not-found")
	})
}

// An event that cannot be processed is kept and can be tried again; the others go on.
func TestPoisonedEvent(t *testing.T) {
	if storetest.OnPostgres() {
		t.Skip("the row that cannot be read is one that only SQLite takes")
	}
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		const failingStore = `INSERT INTO bridge_ids (room, net, stanza, origin, first, part, author, sender, at, body, gone)
SELECT id, 'm000005', 'x', 'x', '', 0, '', '', 'boom', '', FALSE FROM bridge_rooms WHERE room = 'plaza'`
		h.change(failingStore)
		var all []string
		for i := range 8 {
			id := h.world.Say("plaza", "cleo", fmt.Sprint(i))
			if id != "m000005" {
				all = append(all, fmt.Sprint("plaza/Cleo: ", i))
			}
		}
		if len(all) != 7 {
			t.Fatal(all)
		}
		h.expect(phone, all...)
		run := func(node string) string {
			return h.ask(jidOf("boss@example.org/x"), domain, stanza.TypeSet,
				stanza.NewElement("http://jabber.org/protocol/commands", "command").With("node", node)).String()
		}
		if got := run("failed"); !strings.Contains(got, "boom") {
			t.Error(got)
		}
		h.change(`DELETE FROM bridge_ids WHERE stanza = 'x'`)
		if got := run("replay"); !strings.Contains(got, "1 events") {
			t.Error(got)
		}
		if got := h.messages(phone); len(got) != 1 {
			t.Errorf("%q", got)
		}
		if got := run("failed"); !strings.Contains(got, "No event") {
			t.Error(got)
		}
		if a := h.ask(phone, domain, stanza.TypeSet, stanza.NewElement("http://jabber.org/protocol/commands", "command").With("node", "replay")); a.Type != stanza.TypeError {
			t.Errorf("not only for admins: %s", a)
		}
	})
}

// The clock of this machine jumps by a day, there and back.
func TestClockJumps(t *testing.T) {
	withGateway(t, func(h *harness) {
		var shift atomic.Int64
		h.now = func() time.Time { return time.Now().Add(time.Duration(shift.Load())) }
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		for i, d := range []time.Duration{0, 24 * time.Hour, -48 * time.Hour, 0} {
			shift.Store(int64(d))
			h.world.Say("plaza", "cleo", fmt.Sprint("in ", i))
			synctest.Wait()
			h.sendToRoom(phone, "plaza", fmt.Sprint("out ", i))
			h.expect(phone, fmt.Sprint("plaza/Cleo: in ", i), fmt.Sprint("plaza/Ann: out ", i))
			time.Sleep(time.Minute)
		}
		h.expectNetwork("plaza", "cleo: in 0", "ann: out 0", "cleo: in 1", "ann: out 1", "cleo: in 2", "ann: out 2", "cleo: in 3", "ann: out 3")
	})
}

func TestDeliveryLogSurvives(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.discard()
		h.world.SayDirect("cleo", "ann", "once")
		h.expect(phone, "cleo: once")
		h.restart() // before the rows were marked: the delivery log has them
		h.expect(phone)
		want := 1
		if storetest.OnPostgres() { // it is in the database, where another machine finds it
			want = 0
		}
		if files, _ := filepath.Glob(filepath.Join(h.dir, "delivery*")); len(files) != want {
			t.Error(files)
		}
		time.Sleep(time.Minute)
		h.restart()
		h.expect(phone)
	})
}
