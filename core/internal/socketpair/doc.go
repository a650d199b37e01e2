// Package socketpair makes pairs of connected sockets for tests. It starts no goroutine.
package socketpair
