package sasl

import (
	"errors"
	"fmt"
)

// Condition names why an exchange failed.
type Condition string

// The conditions of RFC 6120 §6.5.
const (
	Aborted              Condition = "aborted"
	AccountDisabled      Condition = "account-disabled"
	CredentialsExpired   Condition = "credentials-expired"
	EncryptionRequired   Condition = "encryption-required"
	IncorrectEncoding    Condition = "incorrect-encoding"
	InvalidAuthzid       Condition = "invalid-authzid"
	InvalidMechanism     Condition = "invalid-mechanism"
	MalformedRequest     Condition = "malformed-request"
	MechanismTooWeak     Condition = "mechanism-too-weak"
	NotAuthorized        Condition = "not-authorized"
	TemporaryAuthFailure Condition = "temporary-auth-failure"
)

// Causes of failures in which no password was tried.
var (
	// ErrTooManyGuesses means that too many wrong passwords were tried just now. A Limiter returns it as the Cause of a Failure.
	ErrTooManyGuesses = errors.New("too many wrong passwords")
	// ErrTooManySessions means that the peer's address has too many sessions without an account.
	ErrTooManySessions = errors.New("too many sessions without an account")
	// ErrBindingType means that the client used a type of channel binding that was not offered.
	ErrBindingType = errors.New("channel binding that was not offered")
	// ErrDowngrade means that the client supports channel binding and believes that it was not offered. It wraps ErrBindingType.
	ErrDowngrade = fmt.Errorf("the client did not see that channel binding is offered: %w", ErrBindingType)
)

// Failure ends an exchange. Cause, which may be nil, is for the log and never for the peer.
type Failure struct {
	Condition Condition
	Cause     error
}

func (f *Failure) Error() string {
	if f.Cause == nil {
		return "sasl: " + string(f.Condition)
	}
	return "sasl: " + string(f.Condition) + ": " + f.Cause.Error()
}

func (f *Failure) Unwrap() error { return f.Cause }

// Is makes errors.Is compare conditions.
func (f *Failure) Is(target error) bool {
	t, ok := target.(*Failure)
	return ok && t.Condition == f.Condition
}

func fail(c Condition, why string) error { return &Failure{Condition: c, Cause: errors.New(why)} }
