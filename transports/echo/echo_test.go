package echo

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/recorder"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func answers(name string) map[string]string {
	return map[string]string{"name": name, "password": "x"}
}

// The parrot repeats what one writes to it; our own message comes back with its nonce.
func TestParrot(t *testing.T) {
	t.Parallel()
	n := New(0)
	if err := transports.CheckNetwork(n); err != nil {
		t.Fatal(err)
	}
	c, sink := recorder.Open(t, n, recorder.Link(t, n, "password", answers("guest")))
	room, err := c.(transports.DirectOpener).Direct(t.Context(), parrot)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := c.Send(t.Context(), transports.Outgoing{Room: room, ClientID: "c1", Attempt: 1, Text: richtext.FromPlain("hello")})
	if err != nil {
		t.Fatal(err)
	}
	sink.Await(t, "both messages", func() bool { return len(sink.Events) == 2 })
	own, parrots := sink.Events[0], sink.Events[1]
	if own.Key != string(sent.ID) || !own.Own || own.Nonce != "c1" || parrots.Actor != parrot || parrots.Own || parrots.Peer != parrot {
		t.Error(recorder.Dump(sink.Events))
	}
}

// Everybody in the lobby gets the same event.
func TestLobby(t *testing.T) {
	t.Parallel()
	n := New(1)
	a, first := recorder.Open(t, n, recorder.Link(t, n, "password", answers("guest")))
	_, second := recorder.Open(t, n, recorder.Link(t, n, "password", answers("guest1")))
	if _, err := a.Send(t.Context(), transports.Outgoing{Room: lobby, ClientID: "c1", Attempt: 1, Text: richtext.FromPlain("hi")}); err != nil {
		t.Fatal(err)
	}
	own, other := first.Event(t, "message hi"), second.Event(t, "message hi")
	if own.Key != other.Key || !own.Own || other.Own {
		t.Errorf("%+v %+v", own, other)
	}
}

// What could not be kept is delivered again.
func TestFailedDelivery(t *testing.T) {
	t.Parallel()
	n := New(0)
	c, sink := recorder.Open(t, n, recorder.Link(t, n, "password", answers("guest")))
	sink.Note(func() { sink.Refuse = 1 })
	if _, err := c.Send(t.Context(), transports.Outgoing{Room: lobby, ClientID: "c1", Attempt: 1, Text: richtext.FromPlain("hi")}); err != nil {
		t.Fatal(err)
	}
	sink.Event(t, "message hi")
}

func TestLoginOfSomebodyElse(t *testing.T) {
	t.Parallel()
	n := New(1)
	first := recorder.Link(t, n, "password", answers("guest"))
	for _, name := range []string{"", "guest2", "guest01", "guest-1", "parrot"} {
		process, err := n.StartLogin(t.Context(), transports.LoginRequest{Flow: "password"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := process.Next(t.Context(), answers(name)); transports.ClassOf(err) != transports.Refused {
			t.Errorf("%q: %v", name, err)
		}
	}
	again, err := n.StartLogin(t.Context(), transports.LoginRequest{Flow: "password", Previous: &first})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Next(t.Context(), answers("guest1")); transports.ClassOf(err) != transports.Refused {
		t.Error(err)
	}
}
