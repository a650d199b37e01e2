package admin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Errors about invitations.
var (
	ErrNoInvitation = errors.New("no such invitation, or it is used up or has expired")
	ErrInvitedName  = errors.New("the name is promised to somebody else")
	ErrTooMany      = errors.New("too many invitations that are still good")
)

// Limits of one invitation.
const (
	maxUses     = 1000
	longestTime = 365 * 24 * time.Hour
)

// Invitation lets somebody register an account, or become a contact of who invites (XEP-0379, XEP-0401).
type Invitation struct {
	Host       jid.JID
	Inviter    jid.JID // zero: the operator
	Username   string  // of the new account; empty: whoever registers chooses
	Registers  bool    // an account can be made with it
	Subscribes bool    // who invites becomes a contact
	Uses       int     // that are left
	Expires    time.Time
}

// Good reports whether an invitation can be used at a time.
func (i Invitation) Good(now time.Time) bool { return i.Uses > 0 && now.Before(i.Expires) }

// ContactURI is for somebody who becomes a contact of who invites (XEP-0401 §5.1).
func (i Invitation) ContactURI(token string) string {
	uri := "xmpp:" + address(i.Inviter.Local(), i.Host) + "?roster;preauth=" + token
	if i.Registers {
		uri += ";ibr=y"
	}
	return uri
}

// AccountURI is for somebody who registers (XEP-0445 §2).
func (i Invitation) AccountURI(token string) string {
	to := i.Host.Domain()
	if i.Username != "" {
		to = address(i.Username, i.Host)
	}
	return "xmpp:" + to + "?register;preauth=" + token
}

// address is an address in a URI (RFC 5122 §2.2).
func address(local string, host jid.JID) string { return url.PathEscape(local) + "@" + host.Domain() }

// HashToken returns what is stored of a token: it cannot be turned back into one.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// InvitationStore keeps invitations by the hashes of their tokens.
type InvitationStore interface {
	// AddInvitation returns ErrTooMany if the account that invites has as many good ones as limit; those that have expired are dropped.
	AddInvitation(ctx context.Context, hash string, i Invitation, limit int) error
	// Invitation returns ErrNoInvitation for an unknown one. It may have expired.
	Invitation(ctx context.Context, hash string) (Invitation, error)
	// UseInvitation takes one use. ErrNoInvitation if there is none left.
	UseInvitation(ctx context.Context, hash string) error
	// RegisterInvited creates an account and takes one use, both or neither. Its errors are those of Create, ErrNoInvitation, and
	// ErrExists also for the name of an account that was deleted not long ago.
	RegisterInvited(ctx context.Context, account jid.JID, password, hash string) error
	// NameInvited returns the hash of a good invitation that promises a name; "" if there is none.
	NameInvited(ctx context.Context, account jid.JID) (string, error)
}

// InvitationLimits are the settings of invitations.
type InvitationLimits struct {
	Register bool          // accounts can be registered with an invitation
	Users    bool          // everybody may invite new accounts
	Time     time.Duration // how long an invitation is good if nothing else is said
	Account  int           // good ones of one account
}

// Invitations are those of one host.
type Invitations struct {
	service *Service
	store   InvitationStore
	limits  InvitationLimits
	now     func() time.Time
	Full    atomic.Uint64 // how often InvitationLimits.Account was reached
}

// NewInvitations returns the invitations of a host.
func NewInvitations(s *Service, store InvitationStore, l InvitationLimits) *Invitations {
	return &Invitations{service: s, store: store, limits: l, now: time.Now}
}

// MayRegister reports whether the invitations of an actor are good for new accounts.
func (v *Invitations) MayRegister(a Actor) bool {
	return v.limits.Users || a.may(CreateAccounts) == nil
}

// Invite creates an invitation and returns its token, which is not stored. Zero fields of the invitation take the defaults.
func (v *Invitations) Invite(ctx context.Context, a Actor, i Invitation) (string, Invitation, error) {
	s := v.service
	i.Host, i.Inviter = s.Host.Domain(), a.JID
	if a.JID.Domain() != i.Host.Domain() {
		i.Inviter = jid.JID{} // an administrator of another server
	}
	if i.Uses == 0 {
		i.Uses = 1
	}
	if i.Expires.IsZero() {
		i.Expires = v.now().Add(v.limits.Time)
	}
	i.Subscribes = i.Subscribes && !i.Inviter.IsZero()
	err := v.check(ctx, a, &i)
	token := rand.Text() // 130 random bits, letters and digits
	if err == nil {
		limit := v.limits.Account
		if a.may(CreateAccounts) == nil {
			limit = 0 // administrators have none
		}
		err = v.store.AddInvitation(ctx, HashToken(token), i, limit)
	}
	if errors.Is(err, ErrTooMany) {
		v.Full.Add(1)
	}
	s.audit(ctx, a, "invite", err, "username", i.Username, "registers", i.Registers, "uses", i.Uses, "expires", i.Expires)
	return token, i, err
}

// check checks an invitation before it is made.
func (v *Invitations) check(ctx context.Context, a Actor, i *Invitation) error {
	switch {
	case i.Registers && !v.MayRegister(a), i.Uses > 1 && a.may(CreateAccounts) != nil:
		return ErrForbidden
	case i.Uses < 1 || i.Uses > maxUses || i.Username != "" && i.Uses > 1, i.Expires.After(v.now().Add(longestTime)), !i.Expires.After(v.now()):
		return ErrInvitation
	case i.Username == "":
		return nil
	}
	account, err := jid.New(i.Username, i.Host.Domain(), "")
	if err != nil || account.Local() == "" {
		return ErrInvitation
	}
	i.Username = account.Local()
	if v.service.Reserved(account) && a.may(GrantRoles) != nil {
		return ErrForbidden
	}
	if _, err := v.service.Reader.Account(ctx, account); err == nil {
		return ErrExists
	} else if !errors.Is(err, ErrNoAccount) {
		return err
	}
	promised, err := v.store.NameInvited(ctx, account)
	if err == nil && promised != "" {
		err = ErrInvitedName
	}
	return err
}

// ErrInvitation is returned for an invitation whose name, uses or end cannot be.
var ErrInvitation = errors.New("such an invitation cannot be made")

// Find returns the good invitation of a token, or ErrNoInvitation.
func (v *Invitations) Find(ctx context.Context, token string) (Invitation, error) {
	i, err := v.store.Invitation(ctx, HashToken(token))
	if err == nil && (!i.Good(v.now()) || i.Host != v.service.Host.Domain()) {
		err = ErrNoInvitation
	}
	return i, err
}

// Promised reports whether a name is for the holder of an invitation, and of another one than that of a token.
func (v *Invitations) Promised(ctx context.Context, account jid.JID, token string) (bool, error) {
	hash, err := v.store.NameInvited(ctx, account)
	return hash != "" && hash != HashToken(token), err
}

// Register creates an account with a token that was found to be good before: that it expires meanwhile does not matter (XEP-0445 §4).
// Its errors are those of InvitationStore.RegisterInvited, and ErrInvitedName for a name that the token is not for.
func (v *Invitations) Register(ctx context.Context, token string, account jid.JID, password string) (Invitation, error) {
	i, err := v.store.Invitation(ctx, HashToken(token))
	if err != nil {
		return i, err
	}
	if !i.Registers || i.Host != v.service.Host.Domain() {
		return i, ErrNoInvitation
	}
	if i.Username != "" && i.Username != account.Local() {
		return i, ErrInvitedName
	}
	if i.Username == "" && v.service.Reserved(account) {
		return i, ErrExists
	}
	if promised, err := v.Promised(ctx, account, token); err != nil {
		return i, err
	} else if promised {
		return i, ErrExists
	}
	return i, v.store.RegisterInvited(ctx, account, password, HashToken(token))
}

// Subscribe takes one use of an invitation with which somebody asks an account for a subscription (XEP-0379 §3.5). It reports whether the
// token is good for that.
func (v *Invitations) Subscribe(ctx context.Context, account jid.JID, token string) (bool, error) {
	i, err := v.Find(ctx, token)
	if err == nil && (!i.Subscribes || i.Inviter != account) {
		err = ErrNoInvitation
	}
	if err == nil {
		err = v.store.UseInvitation(ctx, HashToken(token))
	}
	if errors.Is(err, ErrNoInvitation) {
		return false, nil // XEP-0379 §4.1: as if there were no token
	}
	return err == nil, err
}
