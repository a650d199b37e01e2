package s2s

import (
	"errors"

	"github.com/dragoman-im/dragoman/core/s2s/dialback"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Stream errors.
var (
	errLate        = stream.NewError(stream.ConnectionTimeout, "not negotiated in time")
	errFlood       = stream.NewError(stream.PolicyViolation, "too much before authentication")
	errTooMany     = stream.NewError(stream.ResourceConstraint, "too many connections from your address")
	errDisplaced   = stream.NewError(stream.ResourceConstraint, "too many connections have not authenticated")
	errRefused     = stream.NewError(stream.PolicyViolation, "this server does not communicate with that domain")
	errInvalidFrom = stream.NewError(stream.InvalidFrom, "")
	errNotAuth     = stream.NewError(stream.NotAuthorized, "authenticate first")
	errInvalidKey  = stream.NewError(stream.NotAuthorized, "the dialback key is invalid")
	errTries       = stream.NewError(stream.PolicyViolation, "too many requests were refused")
	errAddresses   = stream.NewError(stream.ImproperAddressing, "stanzas between servers need from and to")
	errStopping    = stream.NewError(stream.SystemShutdown, "")
)

// Reasons why a connection to another server is not used. The other server is not told.
var (
	errNoTLS       = errors.New("the other server offers no TLS")
	errCertificate = errors.New("the certificate of the other server is not valid for its domain")
	errNoMethod    = errors.New("the other server accepts neither our certificate nor dialback")
	errKeyRefused  = errors.New("the other server refuses our dialback key")
	errCrowded     = errors.New("too many connections to other servers are being opened")
	errBlocked     = errors.New("the policy refuses that domain")
	errSlow        = errors.New("the other server reads too slowly")
	errHeld        = errors.New("too much waits for all other servers")
	errFull        = errors.New("too much waits for the connection")
	errIdle        = errors.New("not used")
)

// dialbackError is an error that the other server has sent instead of a result (XEP-0220 §2.4.2).
type dialbackError struct{ condition string }

func (e dialbackError) Error() string { return "dialback error: " + e.condition }

// stanzaError returns what senders get whose stanzas cannot be sent because of err.
func stanzaError(err error) *stanza.Error {
	if p, ok := errors.AsType[stream.PeerError](err); ok {
		switch p.Cause.Condition {
		case stream.HostUnknown, stream.HostGone: // RFC 6120 §4.9.3.6: also a domain that resolves to this server
			return stanza.RemoteServerNotFound("the server of that domain does not know it")
		}
	}
	switch {
	case errors.Is(err, ErrNotFound):
		return stanza.RemoteServerNotFound("")
	case errors.Is(err, errBlocked):
		return stanza.NotAllowed("this server does not communicate with that domain")
	case errors.Is(err, errNoTLS), errors.Is(err, errCertificate), errors.Is(err, errNoMethod):
		return stanza.RemoteServerNotFound("no secure connection to that domain is possible")
	case errors.Is(err, errKeyRefused):
		return stanza.InternalServerError() // XEP-0220 §2.1.1
	case errors.Is(err, errSlow), errors.Is(err, errHeld):
		return stanza.ResourceConstraint("the server of that domain reads too slowly")
	case errors.Is(err, errFull):
		return stanza.ResourceConstraint("too much waits for the server of that domain")
	case errors.Is(err, errCrowded):
		return stanza.ResourceConstraint("too many other servers are being connected")
	}
	return stanza.RemoteServerTimeout("the server of that domain cannot be reached at the moment")
}

// verificationError returns the condition of the dialback error for a key that could not be verified because of err (XEP-0220 §2.4.2).
func verificationError(err error, connected bool) string {
	p, isPeer := errors.AsType[stream.PeerError](err)
	d, isDialback := errors.AsType[dialbackError](err)
	switch {
	case errors.Is(err, ErrNotFound), isPeer && (p.Cause.Condition == stream.HostUnknown || p.Cause.Condition == stream.HostGone),
		isDialback && d.condition == dialback.NotFound:
		return dialback.NoServer
	case errors.Is(err, errCrowded):
		return dialback.NoResources
	case errors.Is(err, errBlocked):
		return dialback.Policy
	case !connected:
		return dialback.NoConnection
	}
	return dialback.Timeout
}
