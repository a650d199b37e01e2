// Package recorder is for the tests of transports: a Sink that keeps what a client delivers and
// waits for what a test wants, the linking and opening of logins that deliver to it, and samples of messages with
// mutants of them. It starts no goroutine.
package recorder
