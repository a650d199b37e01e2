package server

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/store/administration"
)

// InviteOptions are an invitation that the command line makes. Zero fields take the defaults.
type InviteOptions struct {
	Host string        // a served host; empty: the first
	User string        // the user name of the new account; empty: whoever registers chooses
	Uses int           // accounts that can be registered
	For  time.Duration // how long it is good
}

// Invite makes an invitation to a new account, which a running server knows at once. It returns the URI for the person who is invited,
// and until when it is good.
func (a *Accounts) Invite(ctx context.Context, o InviteOptions) (uri string, expires time.Time, err error) {
	if o.Uses < 1 {
		return "", expires, fmt.Errorf("%d accounts are none", o.Uses)
	}
	if !a.config.Accounts.Invitations {
		return "", expires, fmt.Errorf("accounts.invitations is off: nobody could register with an invitation")
	}
	name := o.User
	if name == "" {
		name = "x"
	}
	if o.Host != "" {
		name += "@" + o.Host
	}
	account, err := a.address(name)
	if err != nil {
		return "", expires, err
	}
	t := administration.New(a.store, a.config.Login.Iterations)
	r, err := a.rights(ctx)
	if err != nil {
		return "", expires, err
	}
	reserved := reservedNames(a.config)
	quiet := slog.New(slog.DiscardHandler)
	s := admin.New(admin.Options{
		Log: quiet, Host: router.NewHost(router.New(quiet), account.Host(), router.HostOptions{}), Rights: r, Reader: t, Reserved: func(j jid.JID) bool { return reserved[j] },
	})
	i := admin.Invitation{Registers: true, Uses: o.Uses}
	if o.User != "" {
		i.Username = account.Local()
	}
	if o.For != 0 {
		i.Expires = time.Now().Add(o.For)
	}
	v := admin.NewInvitations(s, t, admin.InvitationLimits{Register: true, Time: time.Duration(a.config.Accounts.InvitationTime)})
	token, i, err := v.Invite(ctx, admin.Console(), i)
	if err != nil {
		return "", expires, fmt.Errorf("invite to %s: %w", account, err)
	}
	return i.AccountURI(token), i.Expires, nil
}
