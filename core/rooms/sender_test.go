package rooms_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/rooms"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// collecting is an Endpoint that counts what waits and what was flushed.
type collecting struct{ waiting, most, flushes int }

func (c *collecting) Send(*stanza.Stanza) {}

func (c *collecting) Collect() (func(*stanza.Stanza), func()) {
	return func(st *stanza.Stanza) {
			c.waiting++
			c.most = max(c.most, c.waiting)
		}, func() {
			c.waiting = 0
			c.flushes++
		}
}

// TestSenderFillsNoQueue: the stanzas held back for one receiver, and for all, are limited.
func TestSenderFillsNoQueue(t *testing.T) {
	t.Parallel()
	to := []jid.JID{jid.MustParse("ann@example.org/1"), jid.MustParse("bob@example.org/1")}
	for _, c := range []struct {
		name string
		size int // of a payload
		most int // stanzas that may wait
	}{{"small", 100, 80}, {"large", 20 << 10, 3}} {
		e := &collecting{}
		s := rooms.NewSender(e)
		s.Flush()
		if e.flushes != 0 {
			t.Errorf("%s: nothing was flushed", c.name)
		}
		st := &stanza.Stanza{Kind: stanza.Message, Payload: strings.Repeat("x", c.size)}
		for range 1000 {
			s.SendMany(st, to)
		}
		s.Flush()
		if e.waiting != 0 || e.most > c.most {
			t.Errorf("%s: %+v", c.name, e)
		}
	}
	e := &collecting{}
	s := rooms.NewSender(e)
	s.Send(&stanza.Stanza{To: to[0]})
	for range 5000 {
		s.Send(&stanza.Stanza{To: to[1], Payload: strings.Repeat("x", 1000)})
	}
	if e.most > 1000 {
		t.Errorf("%d stanzas for others waited", e.most)
	}
	s.Flush()
	many := make([]jid.JID, 5000) // each gets one at a time
	for i := range many {
		many[i] = jid.MustParse(fmt.Sprintf("user%d@example.org/1", i))
	}
	e.most, e.flushes = 0, 0
	for range 12 {
		s.SendMany(&stanza.Stanza{Payload: strings.Repeat("x", 500)}, many)
	}
	if e.most > 5*len(many) || e.flushes > 4 {
		t.Errorf("%d stanzas waited, %d flushes", e.most, e.flushes)
	}
}
