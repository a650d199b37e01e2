package component

import (
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// SendAll reports success when the socket has taken the stanzas: not while there is no server.
func TestSendAll(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := newTestServer(t, nil)
	l, _, states := runLink(t, closed.Addr().String(), nil) // nobody answers the handshake
	results := make(chan error, 10)
	note := func(err error) { results <- err }
	var list []*stanza.Stanza
	for i := range 3 {
		list = append(list, message("romeo@home.test", "bot@gate.test", fmt.Sprint(i)))
	}
	l.SendAll(list, nil, note)
	select {
	case err := <-results:
		t.Fatalf("sent without a server: %v", err)
	default:
	}
	relayOn(t, closed, func() string { return o.addr })
	waitState(t, states, up)
	for i := range list {
		if got := o.home.next(t).Body(); got != fmt.Sprint(i) {
			t.Errorf("%s came, want %d", got, i)
		}
	}
	if err := <-results; err != nil {
		t.Error(err)
	}
	l.SendAll(list[:1], nil, note)
	l.SendAll(nil, nil, note)
	for range 2 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	o.home.next(t)
}

// If the limits are reached SendAll reports an error and the caller keeps the stanzas.
func TestSendAllOverflow(t *testing.T) {
	t.Parallel()
	l, _, _ := runLink(t, "127.0.0.1:1", func(o *Options) { o.Waiting = 2 })
	results := make(chan error, 2)
	send := func(n int) {
		var list []*stanza.Stanza
		for range n {
			list = append(list, message("romeo@home.test", "bot@gate.test", "x"))
		}
		l.SendAll(list, nil, func(err error) { results <- err })
	}
	send(2) // they wait forever
	send(1)
	if err := <-results; !errors.Is(err, errNoRoom) {
		t.Errorf("reported %v, want %v", err, errNoRoom)
	}
	if len(results) != 0 {
		t.Errorf("reported %v for those that wait", <-results)
	}
}
