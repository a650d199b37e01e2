package peerlimit

import (
	"net/netip"
	"testing"
	"time"
)

// One network may ask so often, a /48 sixteen times that, and what is refused is not counted.
func TestRequests(t *testing.T) {
	t.Parallel()
	r := NewRequests(2, time.Hour)
	take := func(address string, want bool) {
		t.Helper()
		if got := r.Take(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
	for range 2 {
		take("192.0.2.1", true)
	}
	for range 3 {
		take("192.0.2.1", false)
	}
	take("192.0.2.2", true)
	for range 2 {
		take("2001:db8::1", true)
	}
	take("2001:db8::2", false)
	take("2001:db8:0:1::1", true)
	r.SetLimit(0)
	take("192.0.2.1", true)
	r.SetLimit(1)
	take("192.0.2.1", false)
}
