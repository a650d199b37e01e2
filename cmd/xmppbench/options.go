package main

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// options are what all measurements share. background is the number of further sessions that are logged in
// during the measurement, spread over the accounts.
type options struct {
	target, versus            string
	user, password, mechanism string
	webSocket                 string // address; "": TCP
	tls                       bool
	repeat                    int
	json                      bool
	background, accounts      int
	keys                      keyring
}

// target is one server.
type target struct {
	name, addr, domain string
	pids               []int
}

// targets reads the servers to measure: one or two.
func (o *options) targets() ([]target, error) {
	first, err := parseTarget(o.target)
	if err != nil || o.versus == "" {
		return []target{first}, err
	}
	second, err := parseTarget(o.versus)
	return []target{first, second}, err
}

func parseTarget(s string) (target, error) {
	bad := fmt.Errorf("target %q is not NAME=HOST:PORT,DOMAIN[,PID[+PID...]]", s)
	name, rest, ok := strings.Cut(s, "=")
	parts := strings.Split(rest, ",")
	if !ok || len(parts) < 2 || len(parts) > 3 {
		return target{}, bad
	}
	host, _, err := net.SplitHostPort(parts[0])
	if err != nil {
		return target{}, bad
	}
	if addr, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !addr.IsLoopback()) {
		return target{}, fmt.Errorf("%s is not a loopback address: other targets are not allowed", host)
	}
	t := target{name: name, addr: parts[0], domain: parts[1]}
	if len(parts) == 3 {
		for text := range strings.SplitSeq(parts[2], "+") {
			pid, err := strconv.Atoi(text)
			if err != nil {
				return target{}, bad
			}
			t.pids = append(t.pids, pid)
		}
	}
	return t, nil
}
