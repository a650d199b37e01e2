package stanza

import "errors"

// Error is a stanza error (RFC 6120 §8.3). It is also a Go error, so that a handler
// can return it; it becomes XML in one place, ErrorReply.
type Error struct {
	Type      string // auth, cancel, continue, modify or wait
	Condition string // one of RFC 6120 §8.3.3
	Text      string // for the person at the other end: what to do, never what failed inside
	Address   string // new address, with gone and redirect only
	App       *Element
}

func (e *Error) Error() string {
	if e.Text == "" {
		return e.Condition
	}
	return e.Condition + ": " + e.Text
}

// Element returns the error as XML.
func (e *Error) Element() *Element {
	x := NewElement(NSClient, "error").With("type", e.Type)
	x.Add(NewElement(NSStanzas, e.Condition).AddText(e.Address))
	if e.Text != "" {
		x.Add(TextElement(NSStanzas, "text", e.Text))
	}
	return x.Add(e.App)
}

func parseError(x *Element) *Error {
	e := &Error{Type: x.Attr("type"), Condition: "undefined-condition"}
	for c := range x.Elements() {
		switch {
		case c.Is(NSStanzas, "text"):
			e.Text = c.Text()
		case c.Space == NSStanzas:
			e.Condition, e.Address = c.Local, c.Text()
		default:
			e.App = c
		}
	}
	return e
}

func newError(typ, condition, text string) *Error {
	return &Error{Type: typ, Condition: condition, Text: text}
}

// The conditions of RFC 6120 §8.3.3, each with the type that it has by default.

// BadRequest returns bad-request: the request does not follow its schema.
func BadRequest(text string) *Error { return newError("modify", "bad-request", text) }

// Conflict returns conflict: the name is taken already.
func Conflict(text string) *Error { return newError("cancel", "conflict", text) }

// FeatureNotImplemented returns feature-not-implemented: this entity does not implement the request.
func FeatureNotImplemented(text string) *Error {
	return newError("cancel", "feature-not-implemented", text)
}

// Forbidden returns forbidden: the sender has no right to do this.
func Forbidden(text string) *Error { return newError("auth", "forbidden", text) }

// Gone returns gone: the address does not exist any more.
func Gone(text string) *Error { return newError("cancel", "gone", text) }

// InternalServerError returns internal-server-error. The cause is written to the log and never to the text.
func InternalServerError() *Error { return newError("cancel", "internal-server-error", "") }

// ItemNotFound returns item-not-found: the thing asked for does not exist.
func ItemNotFound(text string) *Error { return newError("cancel", "item-not-found", text) }

// JIDMalformed returns jid-malformed: an address is malformed.
func JIDMalformed(text string) *Error { return newError("modify", "jid-malformed", text) }

// NotAcceptable returns not-acceptable: the request misses a criterion of the receiver.
func NotAcceptable(text string) *Error { return newError("modify", "not-acceptable", text) }

// NotAllowed returns not-allowed: nobody may do this here.
func NotAllowed(text string) *Error { return newError("cancel", "not-allowed", text) }

// NotAuthorized returns not-authorized: the sender has to authenticate first.
func NotAuthorized(text string) *Error { return newError("auth", "not-authorized", text) }

// PolicyViolation returns policy-violation: the stanza breaks a rule of this service.
func PolicyViolation(text string) *Error { return newError("modify", "policy-violation", text) }

// RecipientUnavailable returns recipient-unavailable: the receiver is temporarily unavailable.
func RecipientUnavailable(text string) *Error { return newError("wait", "recipient-unavailable", text) }

// RegistrationRequired returns registration-required: the service requires an account.
func RegistrationRequired(text string) *Error { return newError("auth", "registration-required", text) }

// RemoteServerNotFound returns remote-server-not-found: the domain cannot be found.
func RemoteServerNotFound(text string) *Error {
	return newError("cancel", "remote-server-not-found", text)
}

// RemoteServerTimeout returns remote-server-timeout: the domain does not answer.
func RemoteServerTimeout(text string) *Error { return newError("wait", "remote-server-timeout", text) }

// ResourceConstraint returns resource-constraint: the server is too busy, or a limit is reached.
func ResourceConstraint(text string) *Error { return newError("wait", "resource-constraint", text) }

// ServiceUnavailable returns service-unavailable: the service is not offered.
func ServiceUnavailable(text string) *Error { return newError("cancel", "service-unavailable", text) }

// UnexpectedRequest returns unexpected-request: the request is out of order.
func UnexpectedRequest(text string) *Error { return newError("wait", "unexpected-request", text) }

// Temporary reports whether err has a method TryLater that returns true, as the errors of the store
// have when the disk is full: the sender may try again later.
func Temporary(err error) bool {
	var e interface{ TryLater() bool }
	return errors.As(err, &e) && e.TryLater()
}

// FromError returns the stanza error that a sender gets for an error inside this server. The cause is written to
// the log and never to the text.
func FromError(err error) *Error {
	if Temporary(err) {
		return ResourceConstraint("Nothing can be stored here at the moment. Please try again later.") // RFC 6120 §8.3.3.18
	}
	return InternalServerError()
}
