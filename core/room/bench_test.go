package room

import (
	"fmt"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// full returns a room with n sessions. Its Send looks up the session's queue in a map and writes the stanza to
// it, as a router and a session do.
func full(b testing.TB, n int) *fixture {
	p := newFixture(b)
	queues := map[jid.JID]*[]byte{}
	for i := range n {
		who := person(fmt.Sprintf("user%d/1", i))
		to, err := testRoom.WithResource(who.Local())
		if err != nil {
			b.Fatal(err)
		}
		p.Handle(p.ctx, stanza.NewPresence(to, who, "", stanza.NewElement(muc.NS, "x")))
		queues[who], p.sent = new([]byte), nil
	}
	p.occupants.Send = func(s *stanza.Stanza) {
		q := queues[s.To]
		*q = s.AppendXML((*q)[:0], "")
	}
	return p
}

// BenchmarkDelivery is what one receiver of a groupchat message costs in a room of 200:
// from the sender's stanza to the bytes in the receiver's queue.
func BenchmarkDelivery(b *testing.B) {
	const n = 200
	p := full(b, n)
	msg := stanza.NewMessage(testRoom, person("user0/1"), stanza.TypeGroupchat,
		stanza.TextElement("", "body", "sixty-four bytes of something that somebody said to all the rest"))
	b.ReportAllocs()
	for i := 0; i < b.N; i += n {
		p.Handle(p.ctx, msg.Copy())
		p.owner.messages = p.owner.messages[:0]
	}
}

// BenchmarkEnter is one who enters a room of 200 and leaves it again.
func BenchmarkEnter(b *testing.B) {
	p := full(b, 200)
	send := p.occupants.Send
	late := person("late/1")
	p.occupants.Send = func(s *stanza.Stanza) {
		if s.To != late {
			send(s)
		}
	}
	to, _ := testRoom.WithResource("late")
	in := stanza.NewPresence(to, late, "", stanza.NewElement(muc.NS, "x"))
	out := stanza.NewPresence(to, late, stanza.TypeUnavailable)
	b.ReportAllocs()
	for b.Loop() {
		p.Handle(p.ctx, in.Copy())
		p.Handle(p.ctx, out.Copy())
		p.owner.events = p.owner.events[:0]
	}
}

// TestFanOutAllocations checks that a receiver costs no allocation beside its share of a stanza.Batch.
func TestFanOutAllocations(t *testing.T) {
	p := full(t, 200)
	post := Post{From: p.occupants.Sessions()[0].Occupant.ID, ID: "m", StanzaID: "s", Payload: "<body>hi</body>", Transient: true}
	got := testing.AllocsPerRun(20, func() { p.Broadcast(post) })
	if most := 200.0/stanza.BatchSize + 25; got > most {
		t.Errorf("%v allocations for 200 receivers, more than %v", got, most)
	}
}
