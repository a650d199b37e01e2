package integration_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
)

// stopTime is what the server may take to stop in these tests.
const stopTime = 3 * time.Second

func startWithShutdownTime(t *testing.T, within time.Duration) *peers.Dragoman {
	t.Helper()
	return peers.StartDragoman(t, peers.Options{
		Setup:  peers.Setup{Host: testHost, Accounts: []peers.Account{ann, bob, carol}},
		Server: fmt.Sprintf("shutdown = %q", within),
		Limits: "queue = \"64 MiB\"\noffline_messages = 10000\noffline_bytes = \"16 MiB\"",
	})
}

// connectStalledClient connects a client that reads nothing, and queues much for it.
func connectStalledClient(ctx context.Context, t *testing.T, d *peers.Dragoman) {
	t.Helper()
	stalled, err := d.Dial(ctx, ann, "deaf")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stalled.Reset)
	stalled.Stall()
	writer, err := d.Dial(ctx, ann, "writer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(writer.Drop)
	flood := "<message to='" + stalled.JID() + "'><body>" + strings.Repeat("x", 8000) + "</body><no-store xmlns='urn:xmpp:hints'/></message>"
	for range 2000 {
		if err := writer.Send(flood); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ask(ctx, writer, testHost, "<ping xmlns='urn:xmpp:ping'/>"); err != nil {
		t.Fatal(err)
	}
}

// terminate sends SIGTERM and waits for the end.
func terminate(ctx context.Context, t *testing.T, d *peers.Dragoman) (took time.Duration) {
	t.Helper()
	begun := time.Now()
	d.Signal(syscall.SIGTERM)
	select {
	case <-d.Done():
	case <-ctx.Done():
		t.Fatal("the server does not end")
	}
	return time.Since(begun)
}

// TestShutdownDrains stops the server while clients are busy: what was accepted is delivered or stored, every client
// gets a stream error, and a client that does not read delays nothing.
func TestShutdownDrains(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
	defer cancel()
	d := startWithShutdownTime(t, stopTime)
	a, err := d.Dial(ctx, ann, "")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Drop()
	b, err := d.Dial(ctx, bob, "")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Drop()
	connectStalledClient(ctx, t, d)
	const n = 300
	var want []string
	for i := range n {
		want = append(want, fmt.Sprint("message ", i))
		for _, to := range []string{carol.User + "@" + testHost, b.JID()} {
			if err := a.Send("<message to='" + to + "' type='chat'><body>" + want[i] + "</body></message>"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := ask(ctx, a, testHost, "<ping xmlns='urn:xmpp:ping'/>"); err != nil { // now all of it is accepted
		t.Fatal(err)
	}
	took := terminate(ctx, t, d)
	if state := d.State(); !state.Success() || took > stopTime+time.Second {
		t.Errorf("the server ended with %v after %v", state, took)
	}
	var got []string
	for _, conn := range []*client.Conn{a, b} {
		for err = nil; err == nil; {
			e, nerr := conn.Next(ctx)
			if err = nerr; err == nil && e.Name.Local == "message" {
				got = append(got, e.ChildText("body"))
			}
		}
		var writeFault *client.StreamError
		if !errors.As(err, &writeFault) || writeFault.Condition != "system-shutdown" { // RFC 6120 §4.9.3.21
			t.Errorf("the stream ended with %v, not with system-shutdown", err)
		}
	}
	sameOnce(t, "bob, who was online", want, got)
	d.Start()
	(&faultyServer{t: t, d: d, mail: want}).collect(ctx)
	d.Stop()
	intact(t, d)
}

// TestSecondSignal sends two signals: after the second the server does not wait.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	for _, second := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(second.String(), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
			defer cancel()
			d := startWithShutdownTime(t, time.Minute)
			connectStalledClient(ctx, t, d)
			d.Signal(syscall.SIGTERM)
			if err := peers.Poll(ctx, func() error {
				if !d.Log().Contains("msg=stopping") {
					return errors.New("the server does not stop")
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			select {
			case <-d.Done():
				t.Fatal("the server did not wait for its clients") // and so this test shows nothing
			default:
			}
			begun := time.Now()
			d.Signal(second)
			select {
			case <-d.Done():
			case <-ctx.Done():
				t.Fatal("the second signal has no effect")
			}
			if took := time.Since(begun); took > time.Second {
				t.Errorf("the second signal took %v", took)
			}
		})
	}
}

// TestShutdownWithLockedDatabase stops a server whose database is locked: it ends at the deadline at the latest.
func TestShutdownWithLockedDatabase(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
	defer cancel()
	d := startWithShutdownTime(t, stopTime)
	a, err := d.Dial(ctx, ann, "")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Drop()
	end := lockDatabase(ctx, t, d)
	defer end()
	for range 10 {
		if err := a.Send("<message to='" + carol.User + "@" + testHost + "' type='chat'><body>x</body></message>"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ask(ctx, a, testHost, "<ping xmlns='urn:xmpp:ping'/>"); err != nil {
		t.Fatal(err)
	}
	if took := terminate(ctx, t, d); took > stopTime+time.Second {
		t.Errorf("the server ended after %v", took)
	}
}

// TestShutdownOfGateway stops the server while users of a network and an XMPP user write: no message is lost or
// duplicated.
func TestShutdownOfGateway(t *testing.T) {
	t.Parallel()
	forEachNetwork(t, func(t *testing.T, w fakeNetwork) {
		ctx, cancel := context.WithTimeout(t.Context(), 4*peerTimeout)
		defer cancel()
		h := embedded(t, w)
		s := linked(ctx, t, h, w)
		local, _, _ := w.friend()
		friend := local + "@" + h.domain
		var in, out []string
		for round := range 4 {
			for i := range 3 {
				in = append(in, fmt.Sprintf("in %d.%d", round, i))
				w.send(true, in[len(in)-1])
				out = append(out, fmt.Sprintf("out %d.%d", round, i))
				s.write(friend, "chat", out[len(out)-1])
			}
			if round == 3 {
				break
			}
			h.gateway.Stop()
			h.gateway.Start()
			if err := s.connect(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.await(ctx, func() bool { return s.settled() && len(s.bodies(friend, "chat")) >= len(in) }); err != nil {
			t.Error(err)
		}
		awaitLines(ctx, t, w, true, func([]string) bool { return len(ownLines(w, true, "out ")) >= len(out) })
		sameOnce(t, "from the network", in, s.bodies(friend, "chat"))
		sameOnce(t, "to the network", out, ownLines(w, true, "out "))
	})
}
