package sasl

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

// external is the mechanism EXTERNAL (RFC 4422 appendix A): the peer has authenticated with its TLS certificate.
type external struct {
	server *Server
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
	if f, ok := errors.AsType[*Failure](err); ok {
		return nil, false, f
	}
	switch {
	case err != nil:
		return nil, false, &Failure{Condition: NotAuthorized, Cause: err}
	case who.IsZero():
		return nil, false, fail(NotAuthorized, "certificate of no account")
	case authzid != "" && who.String() != authzid:
		return nil, false, fail(InvalidAuthzid, "authzid is not covered by the certificate") // RFC 6120 §13.7.1.2
	}
	revocation, err := x.server.mayLogIn(ctx, who)
	if err != nil {
		return nil, false, err
	}
	x.id = Identity{JID: who, Mechanism: External, Revocation: revocation}
	return nil, true, nil
}

// mayLogIn checks that there is such an account of this host, and that it may be used. A host that authenticates itself has none.
// It returns the Credentials.Revocation.
func (s *Server) mayLogIn(ctx context.Context, who jid.JID) (int64, error) {
	if s.cfg.Accounts == nil {
		return 0, nil
	}
	if who.Local() == "" || who.Domain() != s.cfg.Host.Domain() {
		return 0, fail(NotAuthorized, "certificate of another host")
	}
	creds, err := s.cfg.Accounts.Lookup(ctx, who.Local())
	switch {
	case errors.Is(err, ErrUnknownUser):
		return 0, fail(NotAuthorized, "certificate of no account")
	case err != nil:
		return 0, fmt.Errorf("look up %s: %w", who, err)
	}
	return creds.Revocation, creds.MayLogIn(time.Now())
}
