package sasl

import (
	"context"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/jid"
)

// maxTrace is the length of a client's trace information in characters (RFC 4505 §2).
const maxTrace = 255

// anonymous is the mechanism ANONYMOUS (RFC 4505).
type anonymous struct {
	begin func() (jid.JID, error)
	id    Identity
}

func (a *anonymous) identity() Identity { return a.id }
func (a *anonymous) claimed() string    { return "" }

// step takes the trace information, which is used for nothing (XEP-0175 §2). None at all is as good as an empty one.
func (a *anonymous) step(_ context.Context, in []byte) ([]byte, bool, error) {
	if !utf8.Valid(in) || utf8.RuneCount(in) > maxTrace {
		return nil, false, fail(MalformedRequest, "bad trace information")
	}
	who, err := a.begin()
	if err != nil {
		return nil, false, &Failure{Condition: TemporaryAuthFailure, Cause: err}
	}
	a.id = Identity{JID: who, Mechanism: Anonymous}
	return nil, true, nil
}
