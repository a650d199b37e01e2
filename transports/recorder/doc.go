// Package recorder is for the tests of transports: a Sink that keeps what a client delivers and
// waits for what a test wants, and the linking and opening of logins that deliver to it. It starts
// no goroutine.
package recorder
