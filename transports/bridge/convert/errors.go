package convert

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
)

const maxErrorText = 1000 // bytes

// StanzaError is the error for the sender of a stanza; err is a *stanza.Error or comes from a network.
func StanzaError(err error) *stanza.Error {
	var e *stanza.Error
	if errors.As(err, &e) {
		return e
	}
	return NetworkError(err)
}

// NetworkError is the error for the sender of what a network has refused or not done.
func NetworkError(err error) *stanza.Error {
	var e *transports.Error
	switch {
	case errors.As(err, &e) && e.Class == transports.Refused:
		condition := e.Condition
		if condition == "" {
			condition = "not-acceptable"
		}
		return &stanza.Error{Type: errorType(condition), Condition: condition, Text: CutBytes(e.Text, maxErrorText)}
	case transports.ClassOf(err) == transports.Retry:
		return stanza.RemoteServerTimeout(sentence(ErrorText(err, "the network does not answer")) + " " + tryAgain(e))
	case transports.ClassOf(err) == transports.Unknown:
		return stanza.RemoteServerTimeout("It is not known whether this has arrived. " + CutBytes(ErrorText(err, ""), maxErrorText))
	case transports.ClassOf(err) == transports.NeedLogin:
		return stanza.NotAuthorized("Your account has to be linked again.")
	}
	return stanza.InternalServerError()
}

// sentence is a text that errors have as part of one as a sentence of its own.
func sentence(text string) string {
	r, n := utf8.DecodeRuneInString(text)
	return strings.TrimRight(string(unicode.ToUpper(r))+text[n:], ".") + "."
}

// tryAgain says when it is worth trying again.
func tryAgain(e *transports.Error) string {
	if e == nil || e.After < time.Second {
		return "Please try again later."
	}
	if e.After < 2*time.Minute {
		return fmt.Sprintf("Please try again in %d seconds.", int(e.After.Round(time.Second)/time.Second))
	}
	return fmt.Sprintf("Please try again in %d minutes.", int((e.After+time.Minute-1)/time.Minute))
}

// Waits is why a call waits and is made again, where that is not that the network cannot be reached: it asks for that, such as
// by a rate limit, or its answers make no sense.
func Waits(e *transports.Error) (why string, limited bool) {
	if e == nil || e.Text == "" || !e.Unreadable && !(e.Unsent && e.After > 0) {
		return "", false
	}
	return strings.TrimSuffix(sentence(e.Text), "."), true
}

// errorType is the default type of a condition (RFC 6120 §8.3.3).
func errorType(condition string) string {
	switch condition {
	case "bad-request", "jid-malformed", "not-acceptable", "policy-violation", "redirect":
		return "modify"
	case "forbidden", "not-authorized", "registration-required", "subscription-required":
		return "auth"
	case "recipient-unavailable", "remote-server-timeout", "resource-constraint", "unexpected-request":
		return "wait"
	}
	return "cancel"
}

// ErrorText is what an error says to people; the text of an error without a class is not shown to them.
func ErrorText(err error, otherwise string) string {
	var e *transports.Error
	if errors.As(err, &e) && e.Text != "" {
		return e.Text
	}
	return otherwise
}
