package sasl

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
)

// external is the mechanism EXTERNAL (RFC 4422 appendix A): the peer has authenticated with its TLS certificate.
type external struct {
	verify func(ctx context.Context, authzid string) (jid.JID, error)
	id     Identity
}

func (x *external) identity() Identity { return x.id }
func (x *external) claimed() string    { return "" }

func (x *external) step(ctx context.Context, in []byte) ([]byte, bool, error) {
	if in == nil {
		return []byte{}, false, nil
	}
	if len(in) > jid.MaxLen {
		return nil, false, fail(MalformedRequest, "authzid too long")
	}
	authzid := string(in)
	if authzid != "" {
		as, err := jid.Parse(authzid)
		if err != nil || as.IsFull() {
			return nil, false, fail(InvalidAuthzid, "authzid is no bare address")
		}
		authzid = as.String()
	}
	who, err := x.verify(ctx, authzid)
	switch {
	case err != nil:
		return nil, false, &Failure{Condition: NotAuthorized, Cause: err}
	case who.IsZero():
		return nil, false, fail(NotAuthorized, "certificate of no account")
	case authzid != "" && who.String() != authzid:
		return nil, false, fail(InvalidAuthzid, "authzid is not covered by the certificate") // RFC 6120 §13.7.1.2
	}
	x.id = Identity{JID: who, Mechanism: External}
	return nil, true, nil
}
