// Package rawstream is the other end of a connection in the tests of servers: a test writes any
// bytes and waits for marks in what the server sends. It checks no XML and starts no goroutine.
package rawstream
