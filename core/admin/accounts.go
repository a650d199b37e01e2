package admin

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Stream error of sessions of an account that may not log in any more (RFC 6120 §4.9.3.12).
const notAuthorized = "not-authorized"

// CreateAccount creates an account. Names that the configuration reserves are for administrators to give: whoever gets one has
// the rights that come with it.
func (s *Service) CreateAccount(ctx context.Context, a Actor, account jid.JID, password string) error {
	err := s.manageable(a, CreateAccounts, account)
	switch {
	case err != nil:
	case s.Reserved(account) && !a.role().May(GrantRoles):
		err = ErrForbidden
	default:
		err = s.Accounts.Create(ctx, account, password)
	}
	s.audit(ctx, a, "create account", err, "account", account)
	return err
}

// DeleteAccounts deletes accounts with their sessions and all that belongs to them.
func (s *Service) DeleteAccounts(ctx context.Context, a Actor, accounts []jid.JID) error {
	return s.each(ctx, a, change{"delete account", DeleteAccounts, func(account jid.JID) error {
		if err := s.Accounts.RemoveAccount(ctx, account); err != nil {
			return err
		}
		s.Host.Remove(account, notAuthorized, "the account has been deleted")
		s.Removed(account)
		return s.Rights.Reload(ctx)
	}}, accounts)
}

// Disable keeps everybody from logging in to accounts, and ends their sessions.
func (s *Service) Disable(ctx context.Context, a Actor, accounts []jid.JID) error {
	return s.each(ctx, a, change{"disable account", ManageAccounts, func(account jid.JID) error {
		if err := s.Accounts.SetDisabled(ctx, account, true); err != nil {
			return err
		}
		s.Host.EndSessions(account, nil, notAuthorized, "the account has been disabled")
		return nil
	}}, accounts)
}

// Enable undoes Disable and Lock.
func (s *Service) Enable(ctx context.Context, a Actor, accounts []jid.JID) error {
	return s.each(ctx, a, change{"enable account", ManageAccounts, func(account jid.JID) error {
		if err := s.Accounts.SetDisabled(ctx, account, false); err != nil {
			return err
		}
		return s.Accounts.SetLocked(ctx, account, time.Time{})
	}}, accounts)
}

// Lock keeps everybody from logging in to accounts until a time, and ends their sessions.
func (s *Service) Lock(ctx context.Context, a Actor, accounts []jid.JID, until time.Time) error {
	return s.each(ctx, a, change{"lock account", ManageAccounts, func(account jid.JID) error {
		if err := s.Accounts.SetLocked(ctx, account, until); err != nil {
			return err
		}
		s.Host.EndSessions(account, nil, notAuthorized, "the account has been locked for a time")
		return nil
	}}, accounts)
}

// SetPassword changes the password of an account and ends its sessions.
func (s *Service) SetPassword(ctx context.Context, a Actor, account jid.JID, password string) error {
	return s.each(ctx, a, change{"change password", ManageAccounts, func(account jid.JID) error {
		if foreign, err := s.Foreign(ctx, account); err != nil {
			return err
		} else if foreign {
			return ErrForeign
		}
		if err := s.Accounts.SetPassword(ctx, account, password); err != nil {
			return err
		}
		s.Host.EndSessions(account, nil, "reset", "the password was changed: log in with the new one") // RFC 6120 §4.9.3.16
		return nil
	}}, []jid.JID{account})
}

// SetRetention sets how long the archive of an account is kept in place of what the configuration says; 0 is nothing else than that.
// The account can still choose a shorter time.
func (s *Service) SetRetention(ctx context.Context, a Actor, account jid.JID, keep time.Duration) error {
	return s.each(ctx, a, change{"set retention of the archive", ManageAccounts, func(account jid.JID) error {
		return s.Archives.SetGrantedRetention(ctx, account, keep)
	}}, []jid.JID{account})
}

// EndSessions ends all sessions of an account for each bare address, and one session for each full one. Their clients may log in again.
func (s *Service) EndSessions(ctx context.Context, a Actor, addresses []jid.JID) error {
	const condition, text = "policy-violation", "an administrator has ended this session"
	return s.each(ctx, a, change{"end sessions", ManageAccounts, func(address jid.JID) error {
		if address.IsBare() {
			s.Host.EndSessions(address, nil, condition, text)
		} else if b := s.Host.Local(address).Session(address); b != nil {
			b.Close(condition, text)
		}
		return nil
	}}, addresses)
}

// SetAdmins makes administrators of accounts, and users of those administrators that are not named. Those of the configuration
// stay and need not be named.
func (s *Service) SetAdmins(ctx context.Context, a Actor, admins []jid.JID) error {
	if err := a.may(GrantRoles); err != nil {
		return err
	}
	wanted := map[jid.JID]bool{}
	for _, account := range admins {
		wanted[account] = true
		if s.Rights.Role(account) == Admin {
			continue
		}
		if _, err := s.Reader.Account(ctx, account); err != nil {
			return &AccountError{account, err}
		}
	}
	for account, role := range s.Rights.All() {
		if role == Admin && !wanted[account] && s.Rights.Configured(account) == Admin {
			return &AccountError{account, ErrConfigured}
		}
	}
	for account, role := range s.Rights.All() {
		if role == Admin && !wanted[account] {
			if err := s.grant(ctx, a, account, max(User, s.Rights.Configured(account))); err != nil {
				return err
			}
		}
	}
	for _, account := range admins {
		if s.Rights.Role(account) != Admin {
			if err := s.grant(ctx, a, account, Admin); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) grant(ctx context.Context, a Actor, account jid.JID, role Role) error {
	err := s.Rights.Grant(ctx, account, role)
	s.audit(ctx, a, "grant role", err, "account", account, "role", role.String())
	if err != nil {
		return &AccountError{account, err}
	}
	return nil
}
