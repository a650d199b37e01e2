package demo

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// The addresses that clients try first.
const (
	usualC2S    = "127.0.0.1:5222"
	usualC2STLS = "127.0.0.1:5223"
	usualHTTP   = "127.0.0.1:5280"
)

// address chooses one for clients, and notes if it is not the usual one.
func (s *localServer) address(flag, given, usual string) (string, error) {
	address, other, err := choose(flag, given, usual)
	s.otherPort = s.otherPort || other
	return address, err
}

// choose returns what a flag says, else the usual address, else another one with a free port.
func choose(flag, given, usual string) (address string, other bool, err error) {
	if given != "" {
		address, err = checkAddress(flag, given)
		return address, false, err
	}
	if address, err = checkAddress(flag, usual); err == nil {
		return address, false, nil
	}
	address, err = checkAddress(flag, "127.0.0.1:0")
	return address, true, err
}

// webPage is where a browser on this machine finds the web client.
func (s *localServer) webPage() string {
	_, port := reachable(s.config.Listen.HTTP[0])
	return "http://localhost:" + port + "/"
}

// checkAddress checks that an address can be listened on, and chooses the port where that is 0.
func checkAddress(flag, address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("%s: %q is not an address such as 127.0.0.1:5222", flag, address)
	}
	l, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "", fmt.Errorf("port %s is taken, perhaps by another XMPP server: choose a free one, such as %s %s", port, flag, net.JoinHostPort(host, "15222"))
	case errors.Is(err, syscall.EACCES):
		return "", fmt.Errorf("port %s needs a right that this user lacks: choose one above 1023, such as %s %s", port, flag, net.JoinHostPort(host, "15222"))
	case err != nil:
		return "", fmt.Errorf("%s: %w", flag, err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// reachable is the address for a client on this machine.
func reachable(listen string) (host, port string) {
	host, port, _ = net.SplitHostPort(listen) // it was listened on already
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return host, port
}
