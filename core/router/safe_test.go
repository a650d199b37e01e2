package router

import (
	"context"
	"errors"
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

// SendAll tells that a message is safe when a receiver's socket has it, or when the stages
// have written it where nobody is there; not before, and once.
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
	send := func(n int) {
		t.Helper()
		writes, reported = nil, nil
		var list []*stanza.Stanza
		for range n {
			list = append(list, from(message("juliet@home.test", "chat"), "cleo@gate.test"))
		}
		gate.SendAll(list, func(err error) { reported = append(reported, err) })
	}

	send(2) // nobody is there
	if len(reported) != 0 || len(writes) != 2 {
		t.Fatalf("reported %v with %d writes open", reported, len(writes))
	}
	writes[0](nil)
	if len(reported) != 0 {
		t.Fatal("reported after one of two")
	}
	writes[1](nil)
	if len(reported) != 1 || reported[0] != nil {
		t.Fatalf("reported %v, want once and without an error", reported)
	}

	send(1)
	writes[0](errors.New("disk full"))
	if len(reported) != 1 || reported[0] == nil {
		t.Fatalf("reported %v, want the error", reported)
	}

	slow := &slowRecorder{recorder: recorder{jid: jid.MustParse("juliet@home.test/balcony")}}
	th.bind(slow, BindOptions{}).SetPresence(&Presence{Stanza: stanza.NewPresence(jid.JID{}, slow.jid, "")})
	send(2)
	if len(reported) != 0 || len(slow.waiting) != 1 || len(slow.take()) != 2 {
		t.Fatalf("reported %v, %d wait for the socket", reported, len(slow.waiting))
	}
	slow.waiting[0](true)
	if len(reported) != 1 || reported[0] != nil {
		t.Fatalf("reported %v when the socket had it", reported)
	}
	for _, done := range writes { // the archive's copy may fail: it has come
		done(errors.New("disk full"))
	}
	if len(reported) != 1 {
		t.Errorf("reported %d times", len(reported))
	}

	slow.waiting = nil
	send(1)
	slow.waiting[0](false) // the client has gone
	if len(reported) != 0 {
		t.Fatal("reported although nobody has it and nothing is written")
	}
	writes[0](nil)
	if len(reported) != 1 || reported[0] != nil {
		t.Errorf("reported %v", reported)
	}
}
