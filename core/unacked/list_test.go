package unacked

import (
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/core/stanza"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func numbered(n int) *stanza.Stanza {
	return &stanza.Stanza{Kind: stanza.Message, ID: strconv.Itoa(n), Payload: "<body>x</body>"}
}

func ids(u *List) (list []string) {
	for _, s := range u.Stanzas() {
		list = append(list, s.Stanza.ID)
	}
	return list
}

// Numbers wrap at 2^32, and only what was sent can be acknowledged.
func TestWrap(t *testing.T) {
	t.Parallel()
	for _, first := range []uint32{0, 1, 1<<31 - 3, 1<<32 - 3} {
		u := New(first, Limits{Stanzas: 100, Bytes: 1 << 20}, Hooks{})
		var acked []bool
		for i := range 6 {
			u.Add(numbered(i))
			u.NotifyAcked(func(ok bool) { acked = append(acked, ok) })
		}
		for _, h := range []uint32{first + 7, first - 1, first + 1<<31} {
			if sent, ok := u.Ack(h); ok || sent != first+6 {
				t.Errorf("from %d: %d is accepted, %d were sent", first, h, sent)
			}
		}
		if _, ok := u.Ack(first + 4); !ok || !slices.Equal(ids(u), []string{"4", "5"}) || len(acked) != 4 {
			t.Errorf("from %d: %v are left, %v", first, ids(u), acked)
		}
		if _, ok := u.Ack(first + 4); !ok { // the same again
			t.Errorf("from %d: repeated", first)
		}
		if _, ok := u.Ack(first + 3); ok {
			t.Errorf("from %d: fewer than before", first)
		}
		if n, _ := u.Acked(); n != first+4 || u.Stanzas()[0].Number != first+5 {
			t.Errorf("from %d: %d", first, n)
		}
		if list := u.Take(); len(list) != 2 || !slices.Equal(acked, []bool{true, true, true, true, false, false}) || u.Bytes() != 0 {
			t.Errorf("from %d: %v taken, %v", first, list, acked)
		}
	}
}

// What was held cannot be acknowledged before it is sent, and of it a later stanza may replace an earlier one.
func TestHold(t *testing.T) {
	t.Parallel()
	u := New(0, Limits{Stanzas: 4, Bytes: 1 << 20}, Hooks{})
	u.Add(numbered(1))
	always := func(*stanza.Stanza) bool { return true }
	if !u.Hold(numbered(2), always) || !u.Hold(numbered(3), always) || !u.Hold(numbered(4), nil) {
		t.Error("full")
	}
	if got := ids(u); !slices.Equal(got, []string{"1", "3", "4"}) {
		t.Errorf("held %v", got)
	}
	if _, ok := u.Ack(2); ok {
		t.Error("acknowledged before it was sent")
	}
	var sent []string
	if !u.Resend(func(st *stanza.Stanza) bool { sent = append(sent, st.ID); return true }) || !slices.Equal(sent, []string{"1", "3", "4"}) {
		t.Errorf("sent %v", sent)
	}
	if _, ok := u.Ack(3); !ok || len(ids(u)) != 0 {
		t.Error("not acknowledged")
	}
	for i := range 6 {
		if fits := u.Hold(numbered(i), nil); fits != (i < 4) {
			t.Errorf("%d: %v", i, fits)
		}
	}
}

// An acknowledgement is requested with each tenth stanza, or a while after an earlier one; a peer that does not answer is noticed.
func TestRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		unasked := 0
		u := New(0, Limits{Stanzas: 100, Bytes: 1 << 20}, Hooks{Unasked: func() { unasked++ }})
		if u.RequestDue() != AllAcked || u.Request() {
			t.Error("nothing was sent")
		}
		for i := 1; i <= 30; i++ {
			st := numbered(i)
			a := u.Add(st)
			if a.Request != (i%10 == 0) {
				t.Errorf("%d: requested: %v", i, a.Request)
			}
			u.After(a, st)
		}
		if unasked != 3 || u.RequestDue() != Requested {
			t.Errorf("%d, %v", unasked, u.RequestDue())
		}
		u.Ack(25)
		u.After(u.Add(numbered(31)), numbered(31))
		if u.RequestDue() != Unasked || !u.Request() || u.Request() {
			t.Error("the last one is not requested")
		}
		time.Sleep(AckWait - 1)
		if u.RequestDue() != Requested {
			t.Error("too early")
		}
		time.Sleep(time.Nanosecond)
		if u.RequestDue() != Overdue {
			t.Error("too late")
		}
		u.Ack(31)
		if u.RequestDue() != AllAcked {
			t.Error("acknowledged")
		}
		large := numbered(1)
		large.Payload = string(make([]byte, requestBytes))
		if a := u.Add(large); !a.Request {
			t.Error("a large stanza waits")
		}
	})
}

// A list is full when a connected peer has not acknowledged four times as much, or, where it was asked long ago, more than the limit.
func TestFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		full := 0
		u := New(0, Limits{Stanzas: 10, Bytes: 1 << 20}, Hooks{Full: func() { full++ }})
		add := func(n int) {
			for i := range n {
				st := numbered(i)
				u.After(u.Add(st), st)
			}
		}
		if add(40); full != 0 || !u.NearlyFull() {
			t.Errorf("full %d times", full)
		}
		if add(1); full != 1 {
			t.Errorf("full %d times", full)
		}
		u.Ack(41)
		add(11)
		time.Sleep(AckWait)
		if add(1); full != 2 {
			t.Errorf("full %d times after a long time", full)
		}
	})
}

// Parts of the list, where numbers wrap.
func TestBetween(t *testing.T) {
	t.Parallel()
	for _, first := range []uint32{0, 1<<31 - 2, 1<<32 - 2} {
		u := New(first, Limits{Stanzas: 100, Bytes: 1 << 20}, Hooks{})
		for i := range 5 {
			u.Add(numbered(i))
		}
		u.Ack(first + 1)
		for _, c := range []struct {
			from, to uint32
			want     string
		}{{0, 5, "1234"}, {2, 4, "23"}, {5, 5, ""}, {4, 2, ""}} {
			got := ""
			for _, st := range u.Between(first+c.from, first+c.to) {
				got += st.ID
			}
			if got != c.want {
				t.Errorf("from %d: %d to %d is %q, want %q", first, c.from, c.to, got, c.want)
			}
		}
		if u.Last() != first+5 {
			t.Errorf("from %d: last is %d", first, u.Last())
		}
	}
}
