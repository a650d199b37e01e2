// Package recorder is a Sink for the tests of transports: it keeps what a session delivers
// and waits for what a test wants. It starts no goroutine.
package recorder
