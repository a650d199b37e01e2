package stream

import (
	"errors"
	"io"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// NSStreams is the namespace of the conditions of stream errors.
const NSStreams = "urn:ietf:params:xml:ns:xmpp-streams"

// NSErrors is the namespace of stanza-too-big (XEP-0205 §5).
const NSErrors = "urn:xmpp:errors"

// Condition names a stream error.
type Condition string

// The conditions of RFC 6120 §4.9.3.
const (
	BadFormat              Condition = "bad-format"
	BadNamespacePrefix     Condition = "bad-namespace-prefix"
	Conflict               Condition = "conflict"
	ConnectionTimeout      Condition = "connection-timeout"
	HostGone               Condition = "host-gone"
	HostUnknown            Condition = "host-unknown"
	ImproperAddressing     Condition = "improper-addressing"
	InternalServerError    Condition = "internal-server-error"
	InvalidFrom            Condition = "invalid-from"
	InvalidNamespace       Condition = "invalid-namespace"
	InvalidXML             Condition = "invalid-xml"
	NotAuthorized          Condition = "not-authorized"
	NotWellFormed          Condition = "not-well-formed"
	PolicyViolation        Condition = "policy-violation"
	RemoteConnectionFailed Condition = "remote-connection-failed"
	Reset                  Condition = "reset"
	ResourceConstraint     Condition = "resource-constraint"
	RestrictedXML          Condition = "restricted-xml"
	SeeOtherHost           Condition = "see-other-host"
	SystemShutdown         Condition = "system-shutdown"
	UndefinedCondition     Condition = "undefined-condition"
	UnsupportedEncoding    Condition = "unsupported-encoding"
	UnsupportedFeature     Condition = "unsupported-feature"
	UnsupportedStanzaType  Condition = "unsupported-stanza-type"
	UnsupportedVersion     Condition = "unsupported-version"
)

var conditions = map[Condition]bool{
	BadFormat: true, BadNamespacePrefix: true, Conflict: true, ConnectionTimeout: true, HostGone: true,
	HostUnknown: true, ImproperAddressing: true, InternalServerError: true, InvalidFrom: true,
	InvalidNamespace: true, InvalidXML: true, NotAuthorized: true, NotWellFormed: true, PolicyViolation: true,
	RemoteConnectionFailed: true, Reset: true, ResourceConstraint: true, RestrictedXML: true, SeeOtherHost: true,
	SystemShutdown: true, UndefinedCondition: true, UnsupportedEncoding: true, UnsupportedFeature: true,
	UnsupportedStanzaType: true, UnsupportedVersion: true,
}

// Known reports whether c is one of RFC 6120 §4.9.3.
func (c Condition) Known() bool { return conditions[c] }

// Error is a stream error. It ends the stream (RFC 6120 §4.9.1.1). Treat one that
// came from a Scanner as read-only: most are shared.
type Error struct {
	Condition Condition
	Text      string // a description for the log of the other side
	Host      string // address to connect to instead, with see-other-host only
	App       *stanza.Element
}

// NewError returns a stream error with a text that may be empty.
func NewError(c Condition, text string) *Error { return &Error{Condition: c, Text: text} }

func (e *Error) Error() string {
	if e.Text == "" {
		return "stream error: " + string(e.Condition)
	}
	return "stream error: " + string(e.Condition) + ": " + e.Text
}

// Is makes errors.Is compare conditions.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Condition == e.Condition
}

// Append writes the error for a stream whose header declared the prefix
// "stream". It is followed by the stream's end.
func (e *Error) Append(dst []byte) []byte {
	return append(e.appendBody(append(dst, "<stream:error>"...)), "</stream:error>"...)
}

// AppendFramed appends the error to dst as a frame (RFC 7395 §3.5).
func (e *Error) AppendFramed(dst []byte) []byte {
	dst = append(dst, "<stream:error xmlns:stream='"+NSStream+"'>"...)
	return append(e.appendBody(dst), "</stream:error>"...)
}

func (e *Error) appendBody(dst []byte) []byte {
	c := e.Condition
	if !c.Known() {
		c = UndefinedCondition // RFC 6120 §4.9.2
	}
	cond := stanza.NewElement(NSStreams, string(c))
	if c == SeeOtherHost {
		cond.AddText(e.Host)
	}
	dst = cond.Append(dst, "")
	if e.Text != "" {
		text := stanza.TextElement(NSStreams, "text", e.Text)
		text.Attrs = append(text.Attrs, stanza.Attr{Space: stanza.NSXML, Local: "lang", Value: "en"})
		dst = text.Append(dst, "")
	}
	if e.App != nil {
		dst = e.App.Append(dst, "")
	}
	return dst
}

// ParseError returns the error that a peer sent. An unknown condition becomes
// undefined-condition (RFC 6120 §4.9.2).
func ParseError(x *stanza.Element) *Error {
	e := &Error{Condition: UndefinedCondition}
	for c := range x.Elements() {
		switch {
		case c.Is(NSStreams, "text"):
			e.Text = c.Text()
		case c.Space == NSStreams:
			if k := Condition(c.Local); k.Known() {
				e.Condition = k
			}
			if e.Condition == SeeOtherHost {
				e.Host = c.Text()
			}
		default:
			e.App = c
		}
	}
	return e
}

// AsError returns the stream error to send because of err: err itself where it is one,
// internal-server-error without a text otherwise, nil if the peer has just disconnected.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return &Error{Condition: InternalServerError}
}

// ErrTooBig is the error of an element that is longer than Limits.Bytes.
var ErrTooBig = errTooBig

// Errors of a Scanner. The texts name the rule, never the data.
var (
	errEncoding  = NewError(UnsupportedEncoding, "not UTF-8")
	errDecl      = NewError(NotWellFormed, "bad XML declaration")
	errChar      = NewError(NotWellFormed, "character that XML does not allow")
	errName      = NewError(NotWellFormed, "bad name")
	errColon     = NewError(NotWellFormed, "two colons in a name")
	errReference = NewError(NotWellFormed, "bad reference")
	errTag       = NewError(NotWellFormed, "bad tag")
	errAttrSpace = NewError(NotWellFormed, "no space between attributes")
	errLess      = NewError(NotWellFormed, "'<' in an attribute")
	errEndTag    = NewError(NotWellFormed, "end tag does not match")
	errCDATAEnd  = NewError(NotWellFormed, "']]>' in text")
	errDuplicate = NewError(NotWellFormed, "duplicate attribute")
	errPrefix    = NewError(NotWellFormed, "undeclared prefix")
	errDeclare   = NewError(NotWellFormed, "namespace declaration that is not allowed")
	errURI       = NewError(NotWellFormed, "namespace name that is no URI")
	errOutside   = NewError(NotWellFormed, "no stream header")
	errFrame     = NewError(NotWellFormed, "frame ends before its element")
	errAfter     = NewError(NotWellFormed, "data after the end of the element")

	errEntity  = NewError(RestrictedXML, "entity that is not predefined")
	errMarkup  = NewError(RestrictedXML, "comment or document type")
	errProcess = NewError(RestrictedXML, "processing instruction")

	errText       = NewError(BadFormat, "text between stanzas")
	errRoot       = NewError(BadFormat, "not a stream header")
	errStreamNS   = NewError(InvalidNamespace, "stream header in another namespace")
	errContentNS  = NewError(InvalidNamespace, "content namespace of another kind of stream")
	errContentPfx = NewError(BadNamespacePrefix, "prefix for the content namespace")

	errDepth    = NewError(PolicyViolation, "nested too deeply")
	errElements = NewError(PolicyViolation, "too many elements")
	errAttrs    = NewError(PolicyViolation, "too many attributes")
	errPrefixes = NewError(PolicyViolation, "too many namespace declarations")
	errLang     = NewError(PolicyViolation, "language tag too long")
	errTooBig   = &Error{Condition: PolicyViolation, App: stanza.NewElement(NSErrors, "stanza-too-big")} // RFC 6120 §13.12
)
