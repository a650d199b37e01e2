package outbox

import (
	"strconv"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
)

// Only the latest messages are remembered.
func TestEchoesAreBounded(t *testing.T) {
	t.Parallel()
	var e echoes
	q := begun{queue: &Queue{}}
	for i := range maxEchoes + 10 {
		e.add(strconv.Itoa(i), q)
		e.add(strconv.Itoa(i), q) // another attempt takes no further room
	}
	if len(e.by) != maxEchoes {
		t.Errorf("%d are remembered", len(e.by))
	}
	for id, want := range map[string]bool{"9": false, "10": true, strconv.Itoa(maxEchoes + 9): true} {
		if _, ok := e.find(id); ok != want {
			t.Errorf("%s is remembered: %v", id, ok)
		}
	}
}

// A message of another user that carries the id of a call is not its echo, although others can compute it.
func TestEchoOfAnotherUser(t *testing.T) {
	t.Parallel()
	call := begun{login: "l1", user: "ann"}
	for _, c := range []struct {
		login transports.LoginID
		event transports.Event
		want  bool
	}{
		{"l1", transports.Event{Actor: "ann"}, true},
		{"l2", transports.Event{Actor: "ann"}, true},             // another login sees it first
		{"l1", transports.Event{Actor: "bot", Own: true}, true},  // a bot that writes under ann's name
		{"l2", transports.Event{Actor: "bot", Own: true}, false}, // of another login's app
		{"l1", transports.Event{Actor: "bob"}, false},
		{"l1", transports.Event{}, false},
	} {
		if got := call.from(c.login, c.event); got != c.want {
			t.Errorf("%s brings %+v: %v", c.login, c.event, got)
		}
	}
}
