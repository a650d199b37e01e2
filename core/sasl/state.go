package sasl

import (
	"errors"
	"time"
)

// Causes of the failures of State.MayLogIn.
var (
	ErrDisabled = errors.New("the account is disabled")
	ErrLocked   = errors.New("the account is locked")
)

// State says whether anybody may log in to an account.
type State struct {
	Disabled bool      // nobody may
	Locked   time.Time // nobody may until then
}

// MayLogIn is the one decision whether an account may log in at a time, whatever proves the identity of the peer: a password, a
// token, a certificate or another service. It returns nil or a *Failure: account-disabled, or temporary-auth-failure for a lock
// that ends by itself (RFC 6120 §6.5). Call it after the proof and never before: a peer without one learns nothing of the state.
func (s State) MayLogIn(now time.Time) error {
	switch {
	case s.Disabled:
		return &Failure{Condition: AccountDisabled, Cause: ErrDisabled}
	case now.Before(s.Locked):
		return &Failure{Condition: TemporaryAuthFailure, Cause: ErrLocked}
	}
	return nil
}
