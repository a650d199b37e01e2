package server

import (
	"context"

	"github.com/dragoman-im/dragoman/core/store"
)

// Stream error of sessions whose account got a new password (RFC 6120 §4.9.3.16).
const (
	passwordChanged     = "reset"
	passwordChangedText = "the password was changed: log in with the new one"
)

// revocations ends the sessions of accounts whose password was changed by the command line. Failures are repeated at the next call.
func (s *Server) revocations(ctx context.Context) {
	list, err := s.store.Revocations(ctx)
	if err != nil && ctx.Err() == nil {
		s.log.Error("sessions to be ended not listed", "err", err)
	}
	for _, r := range list {
		if err := s.revokeSessions(ctx, r); err != nil && ctx.Err() == nil {
			s.log.Error("sessions not noted as ended", "account", r.Account, "err", err)
		}
	}
}

func (s *Server) revokeSessions(ctx context.Context, r store.Revocation) error {
	if h := s.host(r.Account); h != nil {
		n := h.EndSessions(r.Account, nil, passwordChanged, passwordChangedText)
		s.log.Info("password changed by the command line", "account", r.Account, "sessions", n)
	}
	return s.store.Revoked(ctx, r)
}
