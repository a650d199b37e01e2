package register

import (
	"net/netip"
	"testing"
	"time"
)

// checklist 113: whoever asks for one name after the other is soon told nothing.
func TestLimiter(t *testing.T) {
	t.Parallel()
	l, now := newLimiter(), time.Unix(1_700_000_000, 0)
	a, neighbour, b := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2"), netip.MustParseAddr("192.0.2.1")
	if !l.reserve(a, now) || l.reserve(neighbour, now) || !l.reserve(b, now) {
		t.Error("not one account of each network")
	}
	now = now.Add(interval)
	for i := range maxTaken {
		if !l.reserve(a, now) {
			t.Errorf("name %d was not tried", i)
		}
		l.release(a, true)
	}
	if l.reserve(a, now.Add(interval-1)) {
		t.Error("more names than may be tried")
	}
	for range 3 * maxTaken {
		if !l.reserve(b, now) {
			t.Error("a password that cannot be used counts")
		}
		l.release(b, false)
	}
	now = now.Add(interval)
	if !l.reserve(a, now) {
		t.Error("not later either")
	}
	for i := range maxAddresses {
		l.reserve(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), now)
	}
	if len(l.known) != maxAddresses || l.reserve(b, now) {
		t.Errorf("%d are remembered", len(l.known))
	}
	if !l.reserve(b, now.Add(interval)) || len(l.known) != 1 {
		t.Errorf("%d are not forgotten", len(l.known))
	}
}
