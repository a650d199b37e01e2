package integration_test

import (
	"context"
	"testing"
	"time"
)

// attempt is for one attempt of what may come too early, before a window is ready.
const attempt = 10 * time.Second

// repeats does something with a window again until it has had its effect.
func repeats(ctx context.Context, t *testing.T, what string, do, effect func(ctx context.Context) error) {
	t.Helper()
	for {
		wait, cancel := context.WithTimeout(ctx, attempt)
		done := do(wait)
		cancel()
		wait, cancel = context.WithTimeout(ctx, attempt)
		err := effect(wait)
		cancel()
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%s: %v, %v", what, done, err)
		}
	}
}
