// Package recorder is for the tests of transports: a Sink that keeps what a session delivers and
// waits for what a test wants, and the linking and opening of accounts that deliver to it. It starts
// no goroutine.
package recorder
