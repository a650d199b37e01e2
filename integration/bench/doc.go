// Command bench measures Dragoman beside Prosody and ejabberd on this machine:
//
//	go run ./integration/bench            # all three, in turn, as a Markdown table; about ten minutes
//	go run ./integration/bench -quick     # shorter, to see that it works
//	go run ./integration/bench -growth    # Dragoman at 100, 1,000 and 10,000 sessions, with rosters of 10 and 1,000
//
// It builds dragoman and cmd/xmppbench, and starts each server from its Debian package with a
// configuration and data of its own in a temporary directory, on free ports of loopback. What one
// server is asked to do the others are asked to do in the same round, so that a busy machine is
// busy for all; the table shows the medians of the rounds. CPU is that of the server's process
// divided by what it did, which is less disturbed by others on the machine than throughput is.
//
// All servers run with one host, without limits on rates, with the modules that stand for what
// Dragoman has (roster, offline messages, carbons, archive, presence, ping), and with passwords that
// are stored hashed, with the same number of rounds where that can be chosen.
//
// A server that is not installed is left out and said to be. The processes end with this one.
package main
