package c2s

import (
	"context"

	"github.com/dragoman-im/dragoman/core/sasl"
)

// guessLimiter is the sasl.Limiter of a connection. It runs in the connection's goroutine.
type guessLimiter struct{ c *conn }

// Begin waits, and refuses an attempt that would have to wait for too long: otherwise many connections at once could guess at any
// speed (RFC 6120 §6.5.10).
func (g guessLimiter) Begin(_ context.Context, username string) (sasl.Attempt, error) {
	c := g.c
	guess, wait := c.server.guesses.Reserve(c.from, username+"@"+c.host.domain)
	if wait > 0 {
		c.server.Counters.LoginsHeld.Add(1)
	}
	if guess == nil {
		return nil, &sasl.Failure{Condition: sasl.TemporaryAuthFailure, Cause: sasl.ErrTooManyGuesses}
	}
	if wait > 0 && !c.Pause(wait) {
		guess.Cancel()
		return nil, &sasl.Failure{Condition: sasl.TemporaryAuthFailure, Cause: sasl.ErrTooManyGuesses}
	}
	return guess, nil
}
