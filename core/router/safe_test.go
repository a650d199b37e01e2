package router

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// slowRecorder is a session whose socket takes what it is given when the test says so.
type slowRecorder struct {
	recorder
	waiting []func(taken bool)
}

func (p *slowRecorder) NotifyWritten(done func(written bool)) { p.waiting = append(p.waiting, done) }

// SendAll reports that messages are safe when all that the stages store of them is written and, where somebody is there,
// a socket has them; not before, and once. That a socket has them while the writes go on is reported too.
func TestSendAll(t *testing.T) {
	t.Parallel()
	var writes []func(error)
	th := newTestHost(t, Stage{Inbound: func(_ context.Context, p *Pass) error {
		writes = append(writes, p.BeginWrite())
		return nil
	}})
	gate, err := th.router.Endpoint(jid.MustParse("gate.test"))
	if err != nil {
		t.Fatal(err)
	}
	var reported []error
	taken := 0
	send := func(n int) {
		t.Helper()
		writes, reported, taken = nil, nil, 0
		var list []*stanza.Stanza
		for range n {
			list = append(list, from(message("juliet@home.test", "chat"), "cleo@gate.test"))
		}
		gate.SendAll(list, func() { taken++ }, func(err error) { reported = append(reported, err) })
		th.settle()
	}
	expect := func(what string, wantTaken int, want ...error) {
		t.Helper()
		if taken != wantTaken || !slices.Equal(reported, want) {
			t.Fatalf("%s: reported %v, %d times taken; want %v, %d", what, reported, taken, want, wantTaken)
		}
	}
	full := errors.New("disk full")

	send(2) // nobody is there
	if len(writes) != 2 {
		t.Fatalf("%d writes", len(writes))
	}
	expect("before the writes", 0)
	writes[0](nil)
	expect("after one of two", 0)
	writes[1](nil)
	expect("after both", 0, nil)

	send(1)
	writes[0](full)
	expect("a write that fails", 0, full)

	slow := &slowRecorder{recorder: recorder{jid: jid.MustParse("juliet@home.test/balcony")}}
	th.bind(slow, BindOptions{}).SetPresence(&Presence{Stanza: stanza.NewPresence(jid.JID{}, slow.jid, "")})
	send(2)
	if len(slow.waiting) != 1 || len(slow.take()) != 2 {
		t.Fatalf("%d wait for the socket", len(slow.waiting))
	}
	expect("before anything", 0)
	slow.waiting[0](true)
	expect("when the socket has them", 1)
	writes[0](nil)
	expect("after one of two writes", 1)
	writes[1](nil)
	expect("after both writes", 1, nil)

	slow.waiting = nil
	send(1)
	writes[0](nil)
	expect("written, but not taken", 0)
	slow.waiting[0](true)
	expect("written, then taken", 0, nil)

	slow.waiting = nil
	send(1)
	slow.waiting[0](true)
	writes[0](full) // it has come, but is not archived
	expect("taken, and a write that fails", 1, full)

	slow.waiting = nil
	send(1)
	slow.waiting[0](false) // the client has gone
	expect("nobody has it and nothing is written", 0)
	writes[0](nil)
	expect("it is written", 0, nil)
}
