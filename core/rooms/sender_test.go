package rooms_test

import (
	"fmt"
	"slices"
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
	to := []stanza.Receiver{{JID: jid.MustParse("ann@example.org/1")}, {JID: jid.MustParse("bob@example.org/1")}}
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
	s.Send(&stanza.Stanza{To: to[0].JID})
	for range 5000 {
		s.Send(&stanza.Stanza{To: to[1].JID, Payload: strings.Repeat("x", 1000)})
	}
	if e.most > 1000 {
		t.Errorf("%d stanzas for others waited", e.most)
	}
	s.Flush()
	many := make([]stanza.Receiver, 5000) // each gets one at a time
	for i := range many {
		many[i].JID = jid.MustParse(fmt.Sprintf("user%d@example.org/1", i))
	}
	e.most, e.flushes = 0, 0
	for range 12 {
		s.SendMany(&stanza.Stanza{Payload: strings.Repeat("x", 500)}, many)
	}
	s.Flush()
	if e.most > 12*len(many) || e.flushes > 2 {
		t.Errorf("%d stanzas waited, %d flushes", e.most, e.flushes)
	}
}

// TestSenderKeepsOrder: each receiver gets the stanzas in the order in which they were sent, whatever is held back.
func TestSenderKeepsOrder(t *testing.T) {
	t.Parallel()
	var all []stanza.Receiver
	for i := range 200 {
		all = append(all, stanza.Receiver{JID: jid.MustParse(fmt.Sprintf("user%d@example.org/1", i))})
	}
	got, want := ordered{}, ordered{}
	s := rooms.NewSender(got)
	n := 0
	many := func(to []stanza.Receiver) {
		n++
		s.SendMany(&stanza.Stanza{ID: fmt.Sprint(n)}, to)
		for _, r := range to {
			want[r.JID] = append(want[r.JID], fmt.Sprint(n))
		}
	}
	one := func(to jid.JID) {
		n++
		s.Send(&stanza.Stanza{ID: fmt.Sprint(n), To: to})
		want[to] = append(want[to], fmt.Sprint(n))
	}
	for i := range 50 {
		many(all)
		many(all)
		one(all[i].JID)
		many(all[:150])
		many(all[i:])
		many(nil)
		if i%7 == 0 {
			s.Flush()
		}
	}
	s.Flush()
	for _, r := range all {
		if j := r.JID; !slices.Equal(got[j], want[j]) {
			t.Fatalf("%s got %v, not %v", j, got[j], want[j])
		}
	}
}

// ordered is an Endpoint that keeps the ids of what each receiver gets.
type ordered map[jid.JID][]string

func (o ordered) Send(st *stanza.Stanza) { o[st.To] = append(o[st.To], st.ID) }

func (o ordered) Collect() (func(*stanza.Stanza), func()) { return o.Send, func() {} }
