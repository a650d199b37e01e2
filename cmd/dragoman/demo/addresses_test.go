package demo

import (
	"net"
	"testing"
)

// TestUsualPorts chooses another port where the usual one is taken, but not instead of one that a flag names.
func TestUsualPorts(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().String()
	s := &localServer{}
	got, err := s.address("--listen", "", taken)
	if err != nil || got == taken || !s.otherPort {
		t.Errorf("address is %q, moved %v: %v", got, s.otherPort, err)
	}
	if got, err := s.address("--listen", taken, "127.0.0.1:0"); err == nil {
		t.Errorf("address is %q, want an error", got)
	}
	s = &localServer{}
	if got, err := s.address("--listen", "", "127.0.0.1:0"); err != nil || s.otherPort {
		t.Errorf("address is %q, moved %v: %v", got, s.otherPort, err)
	}
}
