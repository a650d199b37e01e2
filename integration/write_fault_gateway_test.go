package integration_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
)

// TestWriteFaultsOfGateway sends events of a network while the database cannot be written: none is acknowledged to the
// network before it is stored, so that all of them arrive after the fault, once and in order; also when the process is
// killed during the fault.
func TestWriteFaultsOfGateway(t *testing.T) {
	t.Parallel()
	for _, f := range []writeFault{writeFaults[0], writeFaults[2]} {
		for _, killed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, killed %v", f.name, killed), func(t *testing.T) {
				t.Parallel()
				f.skipUnlessFile(t)
				forEachNetwork(t, func(t *testing.T, w fakeNetwork) { testWriteFaultOfGateway(t, w, f, killed) })
			})
		}
	}
}

func testWriteFaultOfGateway(t *testing.T, w fakeNetwork, f writeFault, killed bool) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*peerTimeout)
	defer cancel()
	h := embedded(t, w)
	s := linked(ctx, t, h, w)
	local, _, _ := w.friend()
	friend, room := local+"@"+h.domain, s.rooms[0]
	var in []string
	say := func(when string) {
		for i := range 4 {
			in = append(in, fmt.Sprintf("in %s %d", when, i))
			w.send(true, in[len(in)-1])
			w.send(false, in[len(in)-1])
		}
	}
	say("before")
	last := func() bool { return slices.Contains(s.bodies(friend, "chat"), in[len(in)-1]) }
	if err := s.await(ctx, last); err != nil {
		t.Fatal(err)
	}
	end := f.start(ctx, t, h.gateway)
	defer end()
	say("during")
	if err := peers.Poll(ctx, func() error {
		if !h.gateway.Log().Contains("storing events") {
			return fmt.Errorf("the gateway kept the events although it could not")
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if slices.Contains(s.bodies(friend, "chat"), "in during 0") {
		t.Error("a message was handed over that is not on the disk")
	}
	if killed {
		h.gateway.Kill()
	}
	end()
	if killed {
		h.gateway.Start()
		if err := s.connect(ctx); err != nil {
			t.Fatal(err)
		}
	}
	say("after")
	if err := s.await(ctx, last); err != nil {
		t.Errorf("the last message: %v", err)
	}
	// What was delivered and could not be recorded as such before the kill may be delivered again, under
	// the same id, by which clients recognise it.
	sameOnce(t, "direct", in, s.distinct(friend))
	sameOnce(t, "channel, in the archive", in, withPrefix(archiveWith(ctx, t, h, room, in[len(in)-1]), "in "))
}

// distinct are the bodies of a conversation without those that arrived again with the same id.
func (s *reconnectingClient) distinct(from string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := map[string]bool{}
	var list []string
	for _, m := range s.received {
		bare, _, _ := strings.Cut(m.Attr("from"), "/")
		body, id := m.ChildText("body"), m.Attr("id")
		if bare == from && m.Attr("type") == "chat" && body != "" && !seen[id] {
			seen[id] = id != ""
			list = append(list, body)
		}
	}
	return list
}
