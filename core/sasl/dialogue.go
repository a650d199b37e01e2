package sasl

import (
	"context"
	"encoding/base64"
	"errors"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of SASL in XMPP.
const (
	NS        = "urn:ietf:params:xml:ns:xmpp-sasl"
	NSBinding = "urn:xmpp:sasl-cb:0" // XEP-0440
)

// DefaultTries is how many exchanges may fail before the stream is closed. RFC 6120 §6.4.5.
const DefaultTries = 3

// maxUnbound is the number of further exchanges that may fail because of their channel binding: one for each mechanism of
// SCRAM. They do not count as failures, because no password is tried in them. slixmpp before 1.9 knows tls-unique
// only and tries all six, three of them with 'y', before PLAIN.
const maxUnbound = 6

// Features returns the stream features with the mechanisms and channel bindings that the peer may use on this
// connection; none if there are no mechanisms. RFC 6120 §6.4.1, XEP-0440 §2.
func (s *Server) Features(c Conn) []*stanza.Element {
	var out []*stanza.Element
	if types := s.BindingTypes(c); len(types) > 0 {
		f := stanza.NewElement(NSBinding, "sasl-channel-binding")
		for _, t := range types {
			f.Add(stanza.NewElement(NSBinding, "channel-binding").With("type", t))
		}
		out = append(out, f)
	}
	if names := s.Mechanisms(c); len(names) > 0 {
		f := stanza.NewElement(NS, "mechanisms")
		for _, m := range names {
			f.Add(stanza.TextElement(NS, "mechanism", m))
		}
		out = append(out, f)
	}
	return out
}

// Dialogue is the sequence of exchanges on one stream, in the form of RFC 6120 §6.4 or of SASL2 (XEP-0388), as the peer chooses for
// each of them.
type Dialogue struct {
	server  *Server
	conn    Conn
	now     *Exchange
	request *Request // of SASL2, while its exchange is under way
	tasks   *tasks   // of SASL2, after the mechanism; nil: none
	failed  int
	unbound int
}

// NewDialogue returns a Dialogue for a stream on which the peer has not authenticated.
func NewDialogue(s *Server, c Conn) *Dialogue { return &Dialogue{server: s, conn: c} }

// Outcome is the result of an element of the peer.
type Outcome struct {
	Reply    []byte    // XML to send
	Identity *Identity // not nil: the peer is authenticated, the stream restarts
	Failure  *Failure  // not nil: the exchange failed; Reply has the failure already
	Username string    // with Failure: the name that the peer has sent, "" if none
	TooMany  bool      // close the stream with policy-violation after Reply

	// Of SASL2:
	Request   *Request // with Identity: what the client asked for. The caller sends the success (AppendSuccess); no stream restarts
	Data      []byte   // with Request: of the mechanism, for the success; nil: none
	Violation bool     // close the stream at once: an element that is not allowed now
}

// Receive handles an element in namespace NS or NS2. An unknown name is a malformed request.
func (d *Dialogue) Receive(ctx context.Context, e *stanza.Element) Outcome {
	if e != nil && e.Space == NS2 {
		return d.receive2(ctx, e)
	}
	if d.Busy() {
		return Outcome{Violation: true}
	}
	reply, id, err := d.receive(ctx, e)
	if err == nil {
		return Outcome{Reply: reply, Identity: id}
	}
	return d.fail(err, appendFailure)
}

// fail ends the exchange because of an error, whose answer has the form of the profile.
func (d *Dialogue) fail(err error, reply func(dst []byte, f *Failure) []byte) Outcome {
	username := ""
	if d.now != nil {
		username = d.now.Username()
	}
	d.now, d.request, d.tasks = nil, nil, nil
	switch {
	case errors.Is(err, ErrTooManyGuesses): // not checked
	case errors.Is(err, errNoToken): // nothing was tried; the number of elements before login is limited
	case errors.Is(err, ErrBindingType) && d.unbound < maxUnbound:
		d.unbound++
	default:
		d.failed++
	}
	f, ok := errors.AsType[*Failure](err)
	if !ok {
		f = &Failure{Condition: TemporaryAuthFailure, Cause: err}
	}
	return Outcome{Reply: reply(nil, f), Failure: f, Username: username, TooMany: d.failed >= d.server.cfg.Tries}
}

func (d *Dialogue) receive(ctx context.Context, e *stanza.Element) ([]byte, *Identity, error) {
	if e == nil || e.Space != NS {
		return nil, nil, fail(MalformedRequest, "element of another namespace")
	}
	switch e.Local {
	case "auth":
		d.now = nil // an exchange before is dropped, RFC 6120 §6.4.2
		x, err := d.server.Begin(e.Attr("mechanism"), d.conn)
		if err != nil {
			return nil, nil, err
		}
		d.now = x
		var in []byte
		if text := e.Text(); text != "" {
			if in, err = Decode(text); err != nil {
				return nil, nil, err
			}
		}
		return d.step(ctx, in)
	case "response":
		if d.now == nil {
			return nil, nil, fail(MalformedRequest, "response without a challenge")
		}
		in, err := Decode(e.Text())
		if err != nil {
			return nil, nil, err
		}
		return d.step(ctx, in)
	case "abort":
		return nil, nil, fail(Aborted, "by the peer")
	}
	return nil, nil, fail(MalformedRequest, "unknown element")
}

func (d *Dialogue) step(ctx context.Context, in []byte) ([]byte, *Identity, error) {
	out, done, err := d.now.Step(ctx, in)
	if err != nil {
		return nil, nil, err
	}
	if !done {
		return appendData(nil, "challenge", out), nil, nil
	}
	id, _ := d.now.Identity()
	d.now = nil
	return appendData(nil, "success", out), &id, nil
}

// Decode decodes the data of an element: strict base64, or "=" for an empty
// message (RFC 6120 §6.4.2). It returns nil only with an error.
func Decode(text string) ([]byte, error) {
	if text == "=" || text == "" {
		return []byte{}, nil
	}
	b, err := decodeStrict(text)
	if err != nil {
		return nil, fail(IncorrectEncoding, "bad base64")
	}
	return b, nil
}

func appendData(dst []byte, name string, data []byte) []byte {
	dst = append(dst, '<')
	dst = append(dst, name...)
	dst = append(dst, " xmlns='"+NS+"'"...)
	if data == nil || len(data) == 0 && name == "challenge" {
		return append(dst, '/', '>')
	}
	dst = append(dst, '>')
	if len(data) == 0 {
		dst = append(dst, '=')
	}
	dst = base64.StdEncoding.AppendEncode(dst, data)
	dst = append(dst, '<', '/')
	dst = append(dst, name...)
	return append(dst, '>')
}

func appendFailure(dst []byte, f *Failure) []byte {
	dst = append(dst, "<failure xmlns='"+NS+"'><"...)
	dst = append(dst, f.Condition...)
	return append(dst, "/></failure>"...)
}
