package accounts

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/features/invite"
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

// Invited is an invitation for the person who is invited.
type Invited struct {
	URI     string
	Page    string // address of its landing page, "" if there is none
	Expires time.Time
}

// Invite makes an invitation to a new account, which a running server knows at once.
func (a *Accounts) Invite(ctx context.Context, o InviteOptions) (Invited, error) {
	if o.Uses < 1 {
		return Invited{}, fmt.Errorf("%d accounts are none", o.Uses)
	}
	if !a.config.Accounts.Invitations {
		return Invited{}, fmt.Errorf("accounts.invitations is off: nobody could register with an invitation")
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
		return Invited{}, err
	}
	t := administration.New(a.store, a.config.Login.Iterations)
	r, err := a.rights(ctx)
	if err != nil {
		return Invited{}, err
	}
	reserved := Reserved(a.config)
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
		return Invited{}, fmt.Errorf("invite to %s: %w", account, err)
	}
	made := Invited{URI: i.AccountURI(token), Expires: i.Expires}
	if site := invite.Site(a.config.Web.URL); site != "" {
		made.Page = invite.AccountPage(site, token)
	}
	return made, nil
}
