package peerlimit

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// opener opens connections and records which are ended in favour of others.
type opener struct {
	t *testing.T
	*Connections
	ended map[*Connection]bool
}

func newOpener(t *testing.T, l ConnectionLimits) *opener {
	return &opener{t, NewConnections(l), map[*Connection]bool{}}
}

func (o *opener) open(from string, want Verdict) *Connection {
	o.t.Helper()
	c, v := o.Open(addr(from))
	if v != want {
		o.t.Errorf("from %s: verdict %d, want %d", from, v, want)
	}
	if c != nil {
		c.OnDisplaced(func(Verdict) { o.ended[c] = true })
	}
	return c
}

// Idle connections from an address do not keep out the next one from there; authenticated ones are not ended for it.
func TestIdleConnectionsAreDisplaced(t *testing.T) {
	t.Parallel()
	o := newOpener(t, ConnectionLimits{Open: 3})
	first, second := o.open("192.0.2.1", Accepted), o.open("192.0.2.1", Accepted)
	first.Authenticated()
	o.open("192.0.2.1", Accepted)
	o.open("192.0.2.2", Accepted)
	if len(o.ended) > 0 {
		t.Error("a connection was ended below the limit")
	}
	third := o.open("192.0.2.1", Accepted)
	if !o.ended[second] || len(o.ended) != 1 {
		t.Errorf("ended: %d, not the oldest that has not authenticated", len(o.ended))
	}
	second.Closed() // it was counted out already
	third.Authenticated()
	fourth := o.open("192.0.2.1", Accepted) // ends the one before third
	fourth.Authenticated()
	o.open("192.0.2.1", TooMany)
	first.Closed()
	first.Closed()
	o.open("192.0.2.1", Accepted).Closed()
	o.SetLimits(ConnectionLimits{})
	o.open("192.0.2.1", Accepted)
	o.open("192.0.2.1", Accepted)
	if len(o.ended) != 2 {
		t.Errorf("%d were ended", len(o.ended))
	}
}

// A connection that is displaced before it has said how to end it is ended then.
func TestDisplacedAtOnce(t *testing.T) {
	t.Parallel()
	c := NewConnections(ConnectionLimits{Open: 1})
	first, _ := c.Open(addr("192.0.2.1"))
	if _, v := c.Open(addr("192.0.2.1")); v != Accepted {
		t.Error(v)
	}
	ended := false
	first.OnDisplaced(func(why Verdict) { ended = why == TooMany })
	if !ended {
		t.Error("not ended")
	}
	var none *Connection
	none.Authenticated()
	none.Closed()
}

// Where all networks together have too many, the network with the most loses one: many addresses with one connection each stay.
func TestLargestNetworkLoses(t *testing.T) {
	t.Parallel()
	o := newOpener(t, ConnectionLimits{Open: 100, Pending: 10})
	other := o.open("192.0.2.1", Accepted)
	var flood []*Connection
	for range 70 {
		flood = append(flood, o.open("198.51.100.1", Accepted))
	}
	o.open("192.0.2.2", Accepted)
	if o.ended[other] || !o.ended[flood[0]] || o.ended[flood[69]] || len(o.ended) != 62 {
		t.Errorf("%d ended, other %v", len(o.ended), o.ended[other])
	}
}

// All addresses of an IPv6 /64 count as one, and the /64s of a /48 have a limit together, so that who has a /48 cannot open 65,536
// times as many.
func TestIPv6Networks(t *testing.T) {
	t.Parallel()
	o := newOpener(t, ConnectionLimits{Open: 2})
	open := func(from string, want Verdict) {
		if c := o.open(from, want); c != nil {
			c.Authenticated()
		}
	}
	open("2001:db8:1:1::1", Accepted)
	open("2001:db8:1:1::2", Accepted)
	open("2001:db8:1:1:ffff::3", TooMany)
	for i := range 15 {
		for range 2 {
			open(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, 1, 1, byte(i), 15: 1}).String(), Accepted)
		}
	}
	open("2001:db8:1:ff::1", TooMany)
	open("2001:db8:2::1", Accepted)
	open("192.0.2.1", Accepted)
	open("::ffff:192.0.2.1", Accepted)
	open("::ffff:192.0.2.1", TooMany) // the same as 192.0.2.1
}

// Connecting and closing again does not get round the limit of new connections, leaves nothing in memory, and a refused
// connection does not extend the wait.
func TestChurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := NewConnections(ConnectionLimits{Open: 5, PerSecond: 10})
		accepted := 0
		for range 10 {
			for range 100 {
				if conn, v := c.Open(addr("192.0.2.1")); v == Accepted {
					accepted++
					conn.Closed()
				}
			}
			time.Sleep(time.Second)
		}
		if accepted < 95 || accepted > 105 {
			t.Errorf("%d of 1000 in ten seconds", accepted)
		}
		for i := range 3000 {
			if conn, v := c.Open(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})); v == Accepted {
				conn.Closed()
			}
		}
		time.Sleep(3 * time.Second)
		if _, v := c.Open(netip.Addr{}); v != Accepted {
			t.Error("a connection without an address was refused")
		}
		if n := len(c.networks); n != 1 {
			t.Errorf("%d networks are remembered", n)
		}
	})
}
