package server

import (
	"context"

	"github.com/dragoman-im/dragoman/core/store"
)

// endings are the stream errors of sessions that are ended, by the reason: a new password (RFC 6120 §4.9.3.16), or that the account
// may not log in any more (§4.9.3.12).
var endings = map[string]struct{ condition, text string }{
	store.NewPassword: {"reset", "the password was changed: log in with the new one"},
	store.Disabled:    {"not-authorized", "the account has been disabled"},
	store.Locked:      {"not-authorized", "the account has been locked for a time"},
}

// reloadRights reads the roles that were granted. After a failure, which is logged with the next ones, those before stay in force.
func (s *Server) reloadRights(ctx context.Context) {
	if err := s.rights.Reload(ctx); err != nil && ctx.Err() == nil {
		s.log.Error("roles not read", "err", err)
	}
}

// revocations ends the sessions of accounts whose password was changed, or that were disabled or locked, by the command line too. Those
// whose login began after that stay.
// Failures are repeated at the next call.
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
		end := endings[r.Reason]
		n := h.EndRevoked(r.Account, r.Mark, end.condition, end.text)
		s.log.Info("sessions ended", "account", r.Account, "reason", r.Reason, "sessions", n)
	}
	return s.store.Revoked(ctx, r)
}
