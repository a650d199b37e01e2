// Package peers starts the programs that the integration tests need: the dragoman binary
// itself, Prosody, ejabberd, biboumi, ngircd, scripts on slixmpp and @xmpp/client, go-sendxmpp, Chromium. Each has its own
// temporary directory, free ports on loopback, a captured log that is shown when the test
// fails, and is stopped by its process id when the test ends.
//
// Servers of one Federation find each other by a DNS server of the test, and trust the authority that has signed their certificates.
//
// A program that is not installed skips the test, unless DRAGOMAN_REQUIRE_PEERS is set:
// then it fails it. The dragoman binary is built once per test process.
//
// Each process has one goroutine that waits for it; Stop and Kill wait for that one.
package peers
