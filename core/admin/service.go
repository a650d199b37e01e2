package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
)

// Errors of use cases, for those who called for them.
var (
	ErrForbidden    = errors.New("the role does not allow this")
	ErrNotServed    = errors.New("not an account of this host")
	ErrExists       = errors.New("the account exists already")
	ErrBeingRemoved = errors.New("the account is still being deleted")
	ErrPassword     = errors.New("the password cannot be used")
	ErrOwnAddress   = errors.New("an address of this server is on no list")
	ErrForeign      = errors.New("another back end has the password of the account")
)

// AccountError is an error about one of several accounts.
type AccountError struct {
	Account jid.JID
	Err     error
}

func (e *AccountError) Error() string { return e.Account.String() + ": " + e.Err.Error() }

// Unwrap returns the error itself.
func (e *AccountError) Unwrap() error { return e.Err }

// AccountWriter changes accounts; the service ends their sessions. Every method but Create returns ErrNoAccount if there is no such account.
type AccountWriter interface {
	// Create returns ErrExists, ErrBeingRemoved or ErrPassword.
	Create(ctx context.Context, account jid.JID, password string) error
	// SetPassword returns ErrPassword.
	SetPassword(ctx context.Context, account jid.JID, password string) error
	SetDisabled(ctx context.Context, account jid.JID, disabled bool) error
	SetLocked(ctx context.Context, account jid.JID, until time.Time) error
	// RemoveAccount marks an account as deleted; the server does the rest.
	RemoveAccount(ctx context.Context, account jid.JID) error
}

// ArchiveKeeper keeps for how long the messages of accounts are kept.
type ArchiveKeeper interface {
	// SetGrantedRetention sets that in place of what the configuration says; 0 is nothing else than that.
	SetGrantedRetention(ctx context.Context, account jid.JID, keep time.Duration) error
}

// Options are the parameters of New.
type Options struct {
	Host     *router.Host
	Rights   *Rights
	Accounts AccountWriter
	Reader   AccountReader
	Texts    TextStore
	Lists    ListStore
	Rooms    RoomKeeper // nil: the host has no rooms. It is set before the host serves
	Links    LinkKeeper // nil: the server does not communicate with others. It is set before the host serves
	Archives ArchiveKeeper
	// Reserved reports whether the configuration reserves the name of an account.
	Reserved func(account jid.JID) bool
	// Foreign reports whether another back end than our own checks the password of an account.
	Foreign func(ctx context.Context, account jid.JID) (bool, error)
	// Removed is called when an account was marked as deleted, to start the rest. It does not block.
	Removed func(account jid.JID)
	// Stop ends the process, or starts it anew, after a delay. A later call replaces an earlier one. It does not block.
	Stop func(after time.Duration, again bool)
	Log  *slog.Logger
}

// Service carries out what administrators and operators of one host want. Its methods may be called from any goroutine.
type Service struct {
	Options
	// Components returns the components of others; nil: there are none. It is set before the host serves.
	Components func() []Component

	texts *texts
	lists *lists
}

// New returns the service. Call Load before it is used.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Service{Options: o, texts: newTexts(), lists: newLists()}
}

// Load reads what was set at run time.
func (s *Service) Load(ctx context.Context) error {
	return errors.Join(s.loadTexts(ctx), s.loadLists(ctx))
}

// Actor is who wants something. Each use case checks the role that the actor has then.
type Actor struct {
	JID  jid.JID // zero for the command line
	role func() Role
}

// Actor returns the owner of an address as an actor.
func (s *Service) Actor(who jid.JID) Actor {
	return Actor{JID: who.Bare(), role: func() Role { return s.Rights.Role(who) }}
}

// Console is who may read and write the database of the server.
func Console() Actor { return Actor{role: func() Role { return Admin }} }

func (a Actor) String() string {
	if a.JID.IsZero() {
		return "command line"
	}
	return a.JID.String()
}

// may returns ErrForbidden if the actor lacks a right.
func (a Actor) may(right Right) error {
	if a.role == nil || !a.role().May(right) {
		return ErrForbidden
	}
	return nil
}

// audit writes a line of the log about something that was done, or that was not because of an error.
func (s *Service) audit(ctx context.Context, a Actor, action string, err error, attrs ...any) {
	attrs = append([]any{"action", action, "by", a.String(), "host", s.Host.Domain()}, attrs...)
	if err != nil {
		attrs = append(attrs, "err", err)
	}
	s.Log.InfoContext(ctx, "administration", attrs...)
}

// manageable checks that an actor may change some accounts: all are of the host and have a role that the actor may manage. So
// an operator cannot take over or shut out an administrator.
func (s *Service) manageable(a Actor, right Right, accounts ...jid.JID) error {
	if err := a.may(right); err != nil {
		return err
	}
	for _, account := range accounts {
		switch {
		case account.Local() == "" || account.Domain() != s.Host.Domain().Domain():
			return &AccountError{account, ErrNotServed}
		case !a.role().MayManage(s.Rights.Role(account)):
			return &AccountError{account, ErrForbidden}
		}
	}
	return nil
}

// existing checks that there are accounts, so that none of several is changed if one is missing.
func (s *Service) existing(ctx context.Context, accounts []jid.JID) error {
	for _, account := range accounts {
		if _, err := s.Reader.Account(ctx, account.Bare()); err != nil {
			return &AccountError{account, err}
		}
	}
	return nil
}

// each changes some accounts, after checking that it may be done to all of them, and writes a line of the log for each.
func (s *Service) each(ctx context.Context, a Actor, c change, accounts []jid.JID) error {
	if err := s.manageable(a, c.right, accounts...); err != nil {
		s.audit(ctx, a, c.action, err)
		return err
	}
	if err := s.existing(ctx, accounts); err != nil {
		return err
	}
	for _, account := range accounts {
		err := c.do(account)
		s.audit(ctx, a, c.action, err, "account", account)
		if err != nil {
			return &AccountError{account, fmt.Errorf("%s: %w", c.action, err)}
		}
	}
	return nil
}

// change is something that is done to accounts.
type change struct {
	action string
	right  Right
	do     func(account jid.JID) error
}
