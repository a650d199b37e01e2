package component

import (
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// What SendAll was given counts as sent when the socket has it: not while the server is away.
func TestSendAll(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := newOffice(t, nil)
	l, _, states := runLink(t, closed.Addr().String(), nil) // nobody answers the handshake
	told := make(chan error, 10)
	note := func(err error) { told <- err }
	var list []*stanza.Stanza
	for i := range 3 {
		list = append(list, message("romeo@home.test", "bot@gate.test", fmt.Sprint(i)))
	}
	l.SendAll(list, note)
	select {
	case err := <-told:
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
	if err := <-told; err != nil {
		t.Error(err)
	}
	l.SendAll(list[:1], note)
	l.SendAll(nil, note)
	for range 2 {
		if err := <-told; err != nil {
			t.Error(err)
		}
	}
	o.home.next(t)
}

// What finds no room is an error: it stays where it came from.
func TestSendAllOverflow(t *testing.T) {
	t.Parallel()
	l, _, _ := runLink(t, "127.0.0.1:1", func(o *Options) { o.Waiting = 2 })
	told := make(chan error, 2)
	send := func(n int) {
		var list []*stanza.Stanza
		for range n {
			list = append(list, message("romeo@home.test", "bot@gate.test", "x"))
		}
		l.SendAll(list, func(err error) { told <- err })
	}
	send(2) // they wait for ever
	send(1)
	if err := <-told; !errors.Is(err, errNoRoom) {
		t.Errorf("told %v, want %v", err, errNoRoom)
	}
	if len(told) != 0 {
		t.Errorf("those that wait were told %v", <-told)
	}
}
