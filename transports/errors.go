package transports

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Class decides what the bridge does about an error.
type Class int

// The classes of errors.
const (
	// Bug is everything without a class: logged, the event or message is kept aside.
	Bug Class = iota
	// Retry will pass: the network is away or asks to wait.
	Retry
	// NeedLogin wants the person to link again; the message waits for that.
	NeedLogin
	// Refused will never work: the sender is notified why.
	Refused
	// Unknown may be either. A message is not sent again, and its sender is notified that it may have
	// been sent; a connection is opened again later.
	Unknown
)

// Error is an error with its class.
type Error struct {
	Class Class
	// Text is for the person: what happened and the one thing to do.
	Text string
	// Condition is a stanza error's condition for Refused, such as "item-not-found"; "" is
	// not-acceptable.
	Condition string
	// Field is the key of the answer that is wrong, where a login returns Refused; "" where it is none in particular.
	Field string
	// Final means, where a login returns Refused, that no other answer would help.
	Final bool
	// After is how long to wait at least, for Retry.
	After time.Duration
	// Unsent means, for Retry, that the network certainly did not take the message.
	Unsent bool
	// Unreadable means, for Retry, that an answer came and made no sense. The call is repeated a few times, not for as long as
	// an outage would last.
	Unreadable bool
	Err        error
}

func (e *Error) Error() string {
	if e.Err == nil {
		return e.Text
	}
	return fmt.Sprintf("%s: %v", e.Text, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Later makes an error of class Retry.
func Later(after time.Duration, err error) *Error {
	return &Error{Class: Retry, Text: "the network does not answer", After: after, Err: err}
}

// Relink makes an error of class NeedLogin; text is what to do.
func Relink(text string, err error) *Error { return &Error{Class: NeedLogin, Text: text, Err: err} }

// Refuse makes an error of class Refused.
func Refuse(condition, text string, err error) *Error {
	return &Error{Class: Refused, Condition: condition, Text: text, Err: err}
}

// ClassOf finds an error's class; a deadline that passed is Retry.
func ClassOf(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return Retry
	}
	return Bug
}
