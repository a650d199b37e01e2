package sasl

import "errors"

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

// ErrBindingType is the cause of a failure in which no password was tried: the client
// used a type of channel binding that was not offered.
var ErrBindingType = errors.New("channel binding that was not offered")

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
