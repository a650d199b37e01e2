package sasl

import (
	"errors"
	"testing"
	"time"
)

// RFC 6120 §6.5.1, §6.5.12
func TestMayLogIn(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	for name, c := range map[string]struct {
		state State
		want  Condition
		cause error
	}{
		"in order":            {State{}, "", nil},
		"disabled":            {State{Disabled: true}, AccountDisabled, ErrDisabled},
		"locked":              {State{Locked: now.Add(1)}, TemporaryAuthFailure, ErrLocked},
		"the lock is over":    {State{Locked: now}, "", nil},
		"disabled and locked": {State{Disabled: true, Locked: now.Add(1)}, AccountDisabled, ErrDisabled},
	} {
		err := c.state.MayLogIn(now)
		if c.want == "" && err != nil || c.want != "" && (!is(err, c.want) || !errors.Is(err, c.cause)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
