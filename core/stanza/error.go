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

// Element is the error as XML.
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

func mk(typ, condition, text string) *Error {
	return &Error{Type: typ, Condition: condition, Text: text}
}

// The conditions of RFC 6120 §8.3.3, each with the type that it has by default.

// BadRequest is a request that does not follow its schema.
func BadRequest(text string) *Error { return mk("modify", "bad-request", text) }

// Conflict is a name that is taken already.
func Conflict(text string) *Error { return mk("cancel", "conflict", text) }

// FeatureNotImplemented is something that this entity does not do.
func FeatureNotImplemented(text string) *Error {
	return mk("cancel", "feature-not-implemented", text)
}

// Forbidden is something that the sender has no right to.
func Forbidden(text string) *Error { return mk("auth", "forbidden", text) }

// Gone is an address that does not exist any more.
func Gone(text string) *Error { return mk("cancel", "gone", text) }

// InternalServerError is an internal error; its cause goes to the log, not into the text.
func InternalServerError() *Error { return mk("cancel", "internal-server-error", "") }

// ItemNotFound is a thing that does not exist.
func ItemNotFound(text string) *Error { return mk("cancel", "item-not-found", text) }

// JIDMalformed is a malformed address.
func JIDMalformed(text string) *Error { return mk("modify", "jid-malformed", text) }

// NotAcceptable is a request that misses a criterion of the receiver.
func NotAcceptable(text string) *Error { return mk("modify", "not-acceptable", text) }

// NotAllowed is something that nobody may do here.
func NotAllowed(text string) *Error { return mk("cancel", "not-allowed", text) }

// NotAuthorized is a sender who has to authenticate first.
func NotAuthorized(text string) *Error { return mk("auth", "not-authorized", text) }

// PolicyViolation is against a rule of this service.
func PolicyViolation(text string) *Error { return mk("modify", "policy-violation", text) }

// RecipientUnavailable is a receiver who is not available at the moment.
func RecipientUnavailable(text string) *Error { return mk("wait", "recipient-unavailable", text) }

// RegistrationRequired is a service that wants an account first.
func RegistrationRequired(text string) *Error { return mk("auth", "registration-required", text) }

// RemoteServerNotFound is a domain that cannot be found.
func RemoteServerNotFound(text string) *Error { return mk("cancel", "remote-server-not-found", text) }

// RemoteServerTimeout is a domain that does not answer.
func RemoteServerTimeout(text string) *Error { return mk("wait", "remote-server-timeout", text) }

// ResourceConstraint is a server that is too busy, or a limit reached.
func ResourceConstraint(text string) *Error { return mk("wait", "resource-constraint", text) }

// ServiceUnavailable is a service that is not offered.
func ServiceUnavailable(text string) *Error { return mk("cancel", "service-unavailable", text) }

// UnexpectedRequest is a request out of its order.
func UnexpectedRequest(text string) *Error { return mk("wait", "unexpected-request", text) }

// Temporary reports whether an error declares that trying again later makes sense, as
// those of the store do when the disk is full.
func Temporary(err error) bool {
	var e interface{ TryLater() bool }
	return errors.As(err, &e) && e.TryLater()
}

// Fault is the stanza error for an internal error. Its cause goes to the log, not into the text.
func Fault(err error) *Error {
	if Temporary(err) {
		return ResourceConstraint("Nothing can be stored here at the moment. Please try again later.") // RFC 6120 §8.3.3.18
	}
	return InternalServerError()
}
