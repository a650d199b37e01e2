package featuretest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// queued is a session that writes what it gets as a queue does.
type queued struct {
	jid jid.JID
	buf []byte
	n   int
}

func (s *queued) JID() jid.JID { return s.jid }
func (s *queued) Deliver(st *stanza.Stanza) {
	s.buf = st.AppendXML(s.buf, "")
	s.n++
}
func (s *queued) Flush()               { s.buf = s.buf[:0] }
func (s *queued) Close(string, string) {}

// host lets everybody in and says again what is said, as a gateway does once it is on disk.
type host struct{ room *room.Room }

func (host) Enter(context.Context, *room.Room, room.EnterRequest) (room.Grant, error) {
	return room.Grant{}, nil
}
func (h host) Message(_ context.Context, _ *room.Room, m room.Message) error {
	h.room.Broadcast(m.Post("1"))
	return nil
}
func (host) Allow(context.Context, *room.Room, room.Action) error { return nil }
func (host) Query(context.Context, *room.Room, room.Query) (*stanza.Element, error) {
	return nil, stanza.ServiceUnavailable("")
}
func (host) Notify(context.Context, *room.Room, room.Event) {}

const occupants = 200

// crowd is a gateway's room with occupants from the served host; say is a message in it, on
// the whole way from the room to the queues of all.
func crowd(tb testing.TB) (say func(), sessions []*queued) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	r := router.New(log)
	h := router.NewHost(r, domain, router.HostOptions{Log: log})
	if err := r.Attach(domain, h); err != nil {
		tb.Fatal(err)
	}
	gateway, err := r.Endpoint(jid.MustParse("echo." + domain.String()))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(gateway.Close)
	lobby := jid.MustParse("lobby@" + gateway.Domain().String())
	owner := &host{}
	owner.room = room.New(room.Options{JID: lobby, Send: gateway.Send, Owner: owner, Secret: []byte("not so secret"), Log: log})
	for i := range occupants {
		s := &queued{jid: jid.MustParse(fmt.Sprintf("user%d@%s/phone", i, domain))}
		bound, err := h.Bind(tb.Context(), s, router.BindOptions{})
		if err != nil {
			tb.Fatal(err)
		}
		bound.(*router.Bound).SetPresence(&router.Presence{Stanza: stanza.NewPresence(jid.JID{}, s.jid, "")})
		nick, err := lobby.WithResource(fmt.Sprintf("user%d", i))
		if err != nil {
			tb.Fatal(err)
		}
		owner.room.Handle(tb.Context(), stanza.NewPresence(nick, s.jid, "", stanza.NewElement(muc.NS, "x")))
		sessions = append(sessions, s)
	}
	msg := stanza.NewMessage(lobby, sessions[0].jid, stanza.TypeGroupchat,
		stanza.TextElement("", "body", "sixty-four bytes of something that somebody said to all the rest"))
	return func() { owner.room.Handle(context.Background(), msg.Copy()) }, sessions
}

// TestRoomDeliveryAllocations keeps the allocations of a message to a room of 200: less than one for a receiver.
func TestRoomDeliveryAllocations(t *testing.T) {
	say, sessions := crowd(t)
	before := sessions[occupants-1].n
	const times = 20
	got := testing.AllocsPerRun(times, say)
	if n := sessions[occupants-1].n - before; n != times+1 { // AllocsPerRun runs it once more
		t.Errorf("%d of %d messages arrived", n, times+1)
	}
	if got > occupants/4 && !raceDetector {
		t.Errorf("%v allocations for %d receivers", got, occupants)
	}
}

// BenchmarkRoomDelivery is one receiver of a message in a gateway's room of 200, without sockets.
// The budget is 2.5 µs.
func BenchmarkRoomDelivery(b *testing.B) {
	say, _ := crowd(b)
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i += occupants {
		say()
	}
}
