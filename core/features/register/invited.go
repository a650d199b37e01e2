package register

import (
	"context"
	"errors"
	"fmt"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of XEP-0445.
const (
	nsToken   = "urn:xmpp:ibr-token:0"
	nsPreauth = "urn:xmpp:pars:0"
)

// Invitations are those that an account can be registered with, also where that is not open to everybody.
type Invitations interface {
	// Find returns the good invitation of a token, or admin.ErrNoInvitation.
	Find(ctx context.Context, token string) (admin.Invitation, error)
	// Promised reports whether a name is for the holder of another invitation than that of a token, which may be "".
	Promised(ctx context.Context, account jid.JID, token string) (bool, error)
	// Register creates an account and takes one use of the invitation.
	Register(ctx context.Context, token string, account jid.JID, password string) (admin.Invitation, error)
	// Registered makes the new account a contact of who has invited.
	Registered(ctx context.Context, i admin.Invitation, account jid.JID) error
}

// preauth checks a token and notes it for the connection (XEP-0445 §4). Wrong ones count like names that are tried.
func (r *Register) preauth(ctx context.Context, who *router.Unauthenticated, iq *stanza.Stanza) error {
	token := iq.FirstChild().Attr("token")
	if r.Invitations == nil || iq.Type != stanza.TypeSet || token == "" {
		return stanza.BadRequest("")
	}
	i, err := r.Invitations.Find(ctx, token)
	if err == nil && !i.Registers {
		err = admin.ErrNoInvitation
	}
	if errors.Is(err, admin.ErrNoInvitation) {
		if !r.Quota.NameTaken(who.Address) {
			r.tried.Add(1)
			return stanza.ResourceConstraint("too much was tried from your address just now: wait a while")
		}
		return stanza.ItemNotFound("The invitation is unknown, used up or has expired.")
	}
	if err == nil {
		who.Token = token
	}
	return err
}

// register creates an account: with the connection's invitation, or because everybody may.
func (r *Register) register(ctx context.Context, who *router.Unauthenticated, account jid.JID, password string) error {
	if who.Token != "" {
		i, err := r.Invitations.Register(ctx, who.Token, account, password)
		switch {
		case errors.Is(err, admin.ErrNoInvitation):
			who.Token = ""
			return stanza.NotAllowed("the invitation is used up")
		case errors.Is(err, admin.ErrInvitedName):
			return stanza.NotAcceptable("the invitation is for another user name")
		case errors.Is(err, admin.ErrExists):
			return ErrTaken
		case errors.Is(err, admin.ErrPassword):
			return ErrPassword
		case err != nil:
			return err
		}
		who.Token = ""
		if err := r.Invitations.Registered(ctx, i, account); err != nil { // the account is there, and can ask for the subscription
			r.Log.Error("new account not made a contact of who has invited", "account", account, "inviter", i.Inviter, "err", err)
		}
		return nil
	}
	if r.Reserved != nil && r.Reserved(account) {
		return ErrTaken
	}
	if r.Invitations != nil {
		if promised, err := r.Invitations.Promised(ctx, account, ""); err != nil {
			return fmt.Errorf("register %s: %w", account, err)
		} else if promised {
			return ErrTaken
		}
	}
	return r.store.Register(ctx, account, password)
}
