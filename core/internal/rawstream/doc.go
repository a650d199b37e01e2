// Package rawstream is the other end of a connection in the tests of servers: a test writes what
// it likes and waits for marks in what comes back. It checks no XML and starts no goroutine.
package rawstream
