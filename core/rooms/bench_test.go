package rooms_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/rooms"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// queues is an Endpoint that appends stanzas to the queues of sessions, as a router does.
type queues map[jid.JID]*[]byte

func (q queues) Send(st *stanza.Stanza) {
	if buf := q[st.To]; buf != nil {
		*buf = st.AppendXML((*buf)[:0], "")
	}
}

func (q queues) Collect() (func(*stanza.Stanza), func()) { return q.Send, func() {} }

// newBusy returns functions for a service with a room: say sends a message to the room, and wait returns when all was delivered.
func newBusy(tb testing.TB, occupants int) (say, wait func()) {
	ctx := context.Background()
	q := queues{}
	store := &memoryStore{rooms: map[jid.JID]room.Snapshot{}}
	s := rooms.New(ctx, rooms.Options{Domain: domain, Policy: native{store}, Endpoint: q, Store: store, Secret: []byte("secret"), Queue: occupants + 10, Limits: rules.Limits{Sessions: occupants + 10}})
	tb.Cleanup(func() { s.Stop(ctx) })
	wait = func() {
		if err := s.Call(ctx, lobby, func(context.Context, *room.Room) error { return nil }); err != nil {
			tb.Fatal(err)
		}
	}
	var first jid.JID
	user := func(i int) jid.JID { return jid.MustParse(fmt.Sprintf("user%d@example.org/phone", i)) }
	for i := range occupants {
		q[user(i)] = new([]byte)
	}
	for i := range occupants {
		who := user(i)
		at, err := lobby.WithResource(who.Local())
		if err != nil {
			tb.Fatal(err)
		}
		s.Handle(stanza.NewPresence(at, who, "", stanza.NewElement(muc.NS, "x")))
		if i == 0 {
			first = who
			wait()
			s.Handle(stanza.NewIQ(lobby, who, stanza.TypeSet, stanza.NewElement(muc.NSOwner, "query").Add(
				stanza.NewElement("jabber:x:data", "x").With("type", "submit").Add(
					stanza.NewElement("jabber:x:data", "field").With("var", "muc#roomconfig_presencebroadcast"))))) // unlocked, and nobody's presence is broadcast
		}
	}
	wait()
	msg := stanza.NewMessage(lobby, first, stanza.TypeGroupchat,
		stanza.TextElement("", "body", "sixty-four bytes of a message that somebody sent to all the rest"))
	return func() { s.Handle(msg.Copy()) }, wait
}

// BenchmarkDelivery measures the cost of one receiver of a message, including the room's mailbox.
func BenchmarkDelivery(b *testing.B) {
	for _, occupants := range []int{200, 10000} {
		b.Run(fmt.Sprint(occupants), func(b *testing.B) {
			say, wait := newBusy(b, occupants)
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += occupants {
				say()
				wait()
			}
		})
	}
}

// TestDeliveryAllocations checks that the mailbox and the service add no allocations per receiver.
func TestDeliveryAllocations(t *testing.T) {
	const occupants = 200
	say, wait := newBusy(t, occupants)
	got := testing.AllocsPerRun(20, func() { say(); wait() })
	if most := occupants/4.0 + 40; got > most {
		t.Errorf("%v allocations for a message to %d receivers, more than %v", got, occupants, most)
	}
}

// crowd returns a service with a room that many sessions have entered, and a function that lets one more enter and leave.
func crowd(tb testing.TB, people int) (enterAndLeave func(), wait func()) {
	tb.Helper()
	ctx := context.Background()
	q := discard{}
	store := &memoryStore{rooms: map[jid.JID]room.Snapshot{lobby: {Config: rules.Config{Persistent: true}}}}
	s := rooms.New(ctx, rooms.Options{
		Domain: domain, Policy: native{store}, Endpoint: q, Store: store, Secret: []byte("secret"), Queue: people + 10, Limits: rules.Limits{Sessions: people + 10},
	})
	tb.Cleanup(func() { s.Stop(ctx) })
	wait = func() {
		if err := s.Call(ctx, lobby, func(context.Context, *room.Room) error { return nil }); err != nil {
			tb.Fatal(err)
		}
	}
	move := func(i int, typ string) {
		who := jid.MustParse(fmt.Sprintf("user%d@example.org/phone", i))
		at, err := lobby.WithResource(who.Local())
		if err != nil {
			tb.Fatal(err)
		}
		s.Handle(stanza.NewPresence(at, who, typ, stanza.NewElement(muc.NS, "x")))
	}
	for i := range people {
		move(i, "")
	}
	wait()
	next := people
	return func() { // somebody else each time: a room limits how often one enters
		next++
		move(next, "")
		move(next, stanza.TypeUnavailable)
		wait()
	}, wait
}

// discard is an Endpoint that sends nothing.
type discard struct{}

func (discard) Send(*stanza.Stanza)                     {}
func (discard) Collect() (func(*stanza.Stanza), func()) { return func(*stanza.Stanza) {}, func() {} }

// BenchmarkEnter measures one session that enters a room of that many and leaves it: three presences for each.
func BenchmarkEnter(b *testing.B) {
	for _, people := range []int{1000, 10000} {
		b.Run(fmt.Sprint(people), func(b *testing.B) {
			again, _ := crowd(b, people)
			b.ReportAllocs()
			for b.Loop() {
				again()
			}
		})
	}
}

// TestOccupantMemory checks what an occupant costs: a room of thousands has to fit into memory.
func TestOccupantMemory(t *testing.T) {
	const people, most = 5000, 1536
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	_, wait := crowd(t, people)
	var got int64
	for range 10 { // what was sent last may still be in use, or in a pool
		runtime.GC()
		runtime.ReadMemStats(&after)
		wait()
		if got = (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / people; got <= most {
			t.Logf("%d bytes an occupant", got)
			return
		}
	}
	t.Errorf("%d bytes an occupant, more than %d", got, most)
}
