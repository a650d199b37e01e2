package integration_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// killRounds is how often the server is killed in each test.
func killRounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv("DRAGOMAN_KILL_ROUNDS")
	if text == "" {
		return 10
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("DRAGOMAN_KILL_ROUNDS is %q, want a number", text)
	}
	return n
}

// killWindow is the time after the messages within which the process is killed: long enough that some kills come
// after all work is done, short enough that most come in the middle of it.
const killWindow = 60 * time.Millisecond

// TestKill kills the server at random moments while both sides write, in a direct
// conversation and in a channel: between an event's arrival and its delivery, between a
// client's message and the call to the network, and anywhere else. Each message must arrive
// once, and in order in its room. What clients received, what the network has, and what the archives hold
// is the same, and a client finds the last id that it has in its archive.
func TestKill(t *testing.T) {
	t.Parallel()
	forEachNetwork(t, func(t *testing.T, w fakeNetwork) {
		rounds := killRounds(t)
		ctx, cancel := context.WithTimeout(t.Context(), peerTimeout*6+time.Duration(rounds)*8*time.Second)
		defer cancel()
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d, %d rounds", seed, rounds)
		random := rand.New(rand.NewPCG(seed, 0))

		h := embedded(t, w)
		s := linked(ctx, t, h, w)
		local, _, _ := w.friend()
		friend := local + "@" + h.domain
		room := s.rooms[0]

		var in, out [2][]string // direct, channel
		for round := range rounds {
			if random.IntN(2) == 0 { // else most is written while the gateway starts
				if err := s.awaitRooms(ctx); err != nil {
					t.Fatal(err)
				}
			}
			for i := range 1 + random.IntN(3) {
				text := fmt.Sprintf("in %d.%d", round, i)
				w.send(true, text+" direct")
				w.send(false, text+" channel")
				in[0], in[1] = append(in[0], text+" direct"), append(in[1], text+" channel")
				text = fmt.Sprintf("out %d.%d", round, i)
				s.write(friend, "chat", text+" direct")
				s.write(room, "groupchat", text+" channel")
				out[0], out[1] = append(out[0], text+" direct"), append(out[1], text+" channel")
			}
			if random.IntN(4) == 0 {
				w.loseReply(random.IntN(2) == 0)
			}
			if random.IntN(4) == 0 {
				w.redeliver()
			}
			pause(ctx, time.Duration(random.Int64N(int64(killWindow))))
			h.gateway.Kill()
			h.gateway.Start()
			if err := s.connect(ctx); err != nil {
				t.Fatal(err)
			}
			if last := s.lastID(); last != "" {
				s.ownArchive(ctx, friend, last) // what a client asks for first
			}
		}

		arrived := func() bool {
			return s.settled() && len(withoutHistory(s.bodies(friend, "chat"))) >= len(in[0]) &&
				len(ownLines(w, true, "out ")) >= len(out[0]) && len(ownLines(w, false, "out ")) >= len(out[1])
		}
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		// On a busy machine most calls are made only now, and meet all replies that are to be lost, each of which is waited for.
		limit, stop := context.WithTimeout(ctx, 3*peerTimeout+time.Duration(rounds)*4*time.Second)
		defer stop()
		for !arrived() && limit.Err() == nil {
			if err := s.connect(limit); err != nil {
				break
			}
			select {
			case <-tick.C:
			case <-limit.Done():
			}
		}
		// What would come twice comes before the answer to a last message each way.
		w.send(false, "in the end")
		in[1] = append(in[1], "in the end")
		w.send(true, "the end")
		s.write(friend, "chat", "the end")
		s.write(room, "groupchat", "the end")
		if err := s.await(limit, func() bool { return slices.Contains(s.bodies(friend, "chat"), "the end") }); err != nil {
			t.Errorf("the last message: %v", err)
		}
		for _, direct := range []bool{true, false} {
			awaitLines(limit, t, w, direct, func(lines []string) bool { return mentions(ownLinesOf(lines, "the end"), "the end") })
		}

		sameOnce(t, "direct, from the network", append(in[0], "the end"), withoutHistory(s.bodies(friend, "chat")))
		if s.again > 1+rounds/20 {
			t.Errorf("%d messages came again in %d rounds: that is no rare moment", s.again, rounds)
		}
		t.Logf("%d messages came again after a kill, known by their origin ids", s.again)
		s.showDoubles(friend)
		sameOnce(t, "direct, to the network", out[0], ownLines(w, true, "out "))
		s.sameArchive(ctx, t, friend, in[0], out[0])
		sameOnce(t, "channel, to the network", out[1], ownLines(w, false, "out "))
		kept := archiveWith(ctx, t, h, room, "in the end")
		sameOnce(t, "channel, from the network, in the archive", in[1], withPrefix(kept, "in "))
		sameOnce(t, "channel, own words, in the archive", out[1], withPrefix(kept, "out "))
	})
}

// TestKillDuringOutage kills the gateway while messages arrive for a user who is offline: each of them is
// delivered later, once, in order.
func TestKillDuringOutage(t *testing.T) {
	forEachDeployment(t, func(_ context.Context, t *testing.T, h *deployment, w fakeNetwork) {
		rounds := killRounds(t)
		ctx, cancel := context.WithTimeout(t.Context(), peerTimeout*6+time.Duration(rounds)*5*time.Second)
		defer cancel()
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d, %d rounds", seed, rounds)
		random := rand.New(rand.NewPCG(seed, 0))

		s := linked(ctx, t, h, w)
		local, _, _ := w.friend()
		friend := local + "@" + h.domain
		s.leave()

		var in []string
		for round := range rounds {
			for i := range 1 + random.IntN(4) {
				text := fmt.Sprintf("in %d.%d", round, i)
				w.send(true, text+" direct")
				w.send(false, text+" channel")
				in = append(in, text)
			}
			pause(ctx, time.Duration(random.Int64N(int64(killWindow))))
			h.gateway.Kill()
			h.gateway.Start()
		}
		w.send(true, "in the end direct")
		w.send(false, "in the end channel")
		in = append(in, "in the end")
		if err := s.connect(ctx); err != nil {
			t.Fatal(err)
		}
		err := s.await(ctx, func() bool {
			return slices.Contains(s.bodies(friend, "chat"), "in the end direct")
		})
		if err != nil {
			t.Errorf("the last message: %v", err)
		}
		channel := withPrefix(archiveWith(ctx, t, h, s.rooms[0], "in the end channel"), "in ")
		sameOnce(t, "direct", withSuffix(in, " direct"), s.bodies(friend, "chat"))
		sameOnce(t, "channel", withSuffix(in, " channel"), channel)
		if h.server == &h.gateway.Server { // others' servers have archives of their own
			s.sameArchive(ctx, t, friend, withSuffix(in, " direct"), nil)
		}
	})
}

// withoutHistory leaves out messages of the gateway itself: on a busy machine a message may wait so long that its
// sender is notified.
func withoutHistory(bodies []string) []string {
	return slices.DeleteFunc(bodies, func(b string) bool { return strings.HasPrefix(b, "[") })
}

func withSuffix(list []string, suffix string) []string {
	var all []string
	for _, s := range list {
		all = append(all, s+suffix)
	}
	return all
}

// pause waits for a random time; it does not synchronise anything.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// linked is a client whose account has a linked login and has joined the channel.
func linked(ctx context.Context, t *testing.T, h *deployment, w fakeNetwork) *reconnectingClient {
	t.Helper()
	s := h.login(ctx, t, testAccounts[1])
	waitGateway(ctx, t, s, h.domain, nil)
	h.link(ctx, t, s, w)
	h.contacts(ctx, t, s, w)
	room := h.findRoom(ctx, t, s, w)
	if err := s.Do(ctx, "logout", nil, nil); err != nil {
		t.Fatal(err)
	}
	reconnectingClient := newReconnectingClient(t, h.server, testAccounts[1])
	reconnectingClient.rooms = []string{room}
	if err := reconnectingClient.connect(ctx); err != nil {
		t.Fatal(err)
	}
	if err := reconnectingClient.awaitRooms(ctx); err != nil {
		t.Fatalf("enter the rooms: %v", err)
	}
	return reconnectingClient
}

// leave logs out.
func (s *reconnectingClient) leave() {
	s.mu.Lock()
	conn := s.conn
	s.mu.Unlock()
	if err := conn.Close(); err != nil {
		s.t.Error(err)
	}
	s.done.Wait()
}

// ownLines are the messages in a network that the user wrote, by their prefix.
func ownLines(w fakeNetwork, direct bool, prefix string) []string {
	return ownLinesOf(w.lines(direct), prefix)
}

func ownLinesOf(lines []string, prefix string) []string {
	var texts []string
	for _, l := range lines {
		if name, text, ok := strings.Cut(l, ": "); ok && name != "Ben" && strings.HasPrefix(text, prefix) {
			texts = append(texts, text)
		}
	}
	return texts
}

func withPrefix(list []string, prefix string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return !strings.HasPrefix(s, prefix) })
}

// archiveWith reads a room's archive once a message is in it.
func archiveWith(ctx context.Context, t *testing.T, h *deployment, room, last string) []string {
	t.Helper()
	tick := time.NewTicker(archiveEvery)
	defer tick.Stop()
	for {
		found := roomArchive(ctx, t, h, room)
		if slices.Contains(found, last) {
			return found
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Errorf("the last message %q is not in the archive", last)
			return found
		}
	}
}

// archiveEvery is how often an archive is read: gateways limit how much one asks.
const archiveEvery = 300 * time.Millisecond

// roomArchive reads a room's whole archive (XEP-0313), page by page (XEP-0059).
func roomArchive(ctx context.Context, t *testing.T, h *deployment, room string) []string {
	t.Helper()
	conn, err := h.server.Dial(ctx, testAccounts[1], "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Drop()
	var bodies []string
	after := ""
	for page := range 1000 {
		id := fmt.Sprintf("mam-%d", page)
		set := "<set xmlns='http://jabber.org/protocol/rsm'><max>50</max>" + after + "</set>"
		if err := conn.Send("<iq type='set' id='" + id + "' to='" + room + "'><query xmlns='urn:xmpp:mam:2' queryid='" + id + "'>" + set + "</query></iq>"); err != nil {
			t.Fatal(err)
		}
		texts, fin := archivePage(ctx, t, conn, id)
		bodies = append(bodies, texts...)
		last := fin.Find("set", "last")
		if fin.Attr("complete") == "true" || last == nil {
			return bodies
		}
		after = "<after>" + last.Text + "</after>"
	}
	t.Fatal("the archive does not end")
	return nil
}

// archivePage collects one page: the bodies, and the fin element.
func archivePage(ctx context.Context, t *testing.T, conn *client.Conn, id string) ([]string, *xmltree.Element) {
	t.Helper()
	var bodies []string
	for {
		e, err := conn.Next(ctx)
		if err != nil {
			t.Fatalf("read the archive: %v", err)
		}
		if e.Name.Local == "iq" && e.Attr("id") == id {
			fin := e.Child("urn:xmpp:mam:2", "fin")
			if fin == nil {
				t.Fatalf("archive: %v", errorOf(e))
			}
			return bodies, fin
		}
		if m := e.Find("result", "forwarded", "message"); m != nil && e.Child("urn:xmpp:mam:2", "result") != nil {
			if body := m.ChildText("body"); body != "" {
				bodies = append(bodies, body)
			}
		}
	}
}
