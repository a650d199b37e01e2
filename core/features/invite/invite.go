package invite

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces and nodes.
const (
	nsPreauth  = "urn:xmpp:pars:0"
	nodeInvite = "urn:xmpp:invite#invite"
	nodeCreate = "urn:xmpp:invite#create-account"
	formType   = "urn:xmpp:invite#invitation"
)

// Contacts changes the rosters of the host.
type Contacts interface {
	// Accept accepts a request for a subscription beforehand and asks the contact for one.
	Accept(ctx context.Context, account, contact jid.JID, route func(*stanza.Stanza)) error
	// Befriend makes two accounts of the host contacts of each other.
	Befriend(ctx context.Context, one, other jid.JID) error
}

// Invites are the invitations of one host.
type Invites struct {
	*admin.Invitations
	service  *admin.Service
	contacts Contacts
	site     string // below which the landing pages are, "" without any
}

// New returns the feature. site is the address of the web server with the landing pages, see Site.
func New(s *admin.Service, i *admin.Invitations, c Contacts, site string) *Invites {
	return &Invites{i, s, c, site}
}

// Feature declares the feature.
func (v *Invites) Feature() router.Feature {
	return router.Feature{
		Name: "invite",
		HostDisco: router.Disco{Commands: []command.Command{
			{Node: nodeInvite, Name: "Invite somebody", Allowed: v.isAccount, Run: v.invite},
			{Node: nodeCreate, Name: "Invite to a new account", Allowed: v.mayCreate, Run: v.create},
		}},
		Stages:   []router.Stage{{Name: "invitations", Position: router.Clean, Inbound: v.received, Skip: skips}},
		Counters: []router.Counter{{Setting: "limits.invitations", Value: &v.Full}},
		Specs: []spec.Spec{
			{Number: "0379", Title: "Pre-Authenticated Roster Subscription", Version: "0.3.3", State: spec.Complete, Note: "Server."},
			{Number: "0401", Title: "Ad-hoc Account Invitation Generation", Version: "0.6.0", State: spec.Complete, Note: "Server. With landing pages where web.url is set."},
		},
	}
}

// isAccount reports whether an account of the host asks: others have no contact list here.
func (v *Invites) isAccount(_ context.Context, who command.Caller) bool {
	return who.JID.Local() != "" && who.JID.Domain() == v.service.Host.Domain().Domain()
}

func (v *Invites) mayCreate(ctx context.Context, who command.Caller) bool {
	a := v.service.Actor(who.JID)
	return v.MayRegister(a) && (v.isAccount(ctx, who) || v.service.Rights.Role(who.JID).May(admin.CreateAccounts))
}

// invite makes an invitation at once (XEP-0401 §5.1).
func (v *Invites) invite(ctx context.Context, who command.Caller) (command.Step, error) {
	a := v.service.Actor(who.JID)
	return v.made(ctx, a, admin.Invitation{Subscribes: true, Registers: v.MayRegister(a)}, contactLink)
}

// create asks for the name of the new account (XEP-0401 §5.4).
func (v *Invites) create(_ context.Context, who command.Caller) (command.Step, error) {
	f := form.New(form.Ask, "", "Invite to a new account")
	f.Instructions = []string{"Whoever gets the invitation chooses a password, and a user name where you give none."}
	f.Text("username", "User name", "")
	f.Bool("roster-subscription", "Become contacts of each other", false)
	return command.Ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		return v.made(ctx, v.service.Actor(who.JID), admin.Invitation{
			Username: answers.Get("username"), Registers: true, Subscribes: answers.IsTrue("roster-subscription"),
		}, accountLink)
	}), nil
}

// link is how an invitation is passed on: as a URI, and as a landing page.
type link struct {
	uri  func(i admin.Invitation, token string) string
	page func(site, token string) string
}

var (
	contactLink = link{admin.Invitation.ContactURI, ContactPage}
	accountLink = link{admin.Invitation.AccountURI, AccountPage}
)

// made creates an invitation and shows it.
func (v *Invites) made(ctx context.Context, a admin.Actor, i admin.Invitation, l link) (command.Step, error) {
	token, i, err := v.Invite(ctx, a, i)
	switch {
	case errors.Is(err, admin.ErrForbidden):
		return command.Step{}, stanza.Forbidden("Your role does not allow this.")
	case errors.Is(err, admin.ErrExists), errors.Is(err, admin.ErrInvitedName):
		return command.Step{}, stanza.Conflict("This name is taken.")
	case errors.Is(err, admin.ErrInvitation):
		return command.Step{}, &form.FieldError{Var: "username", Label: "User name", Problem: "cannot be one"}
	case errors.Is(err, admin.ErrTooMany):
		return command.Step{}, stanza.ResourceConstraint("You have invited many people who have not come yet.")
	case err != nil:
		return command.Step{}, err
	}
	f := form.New(form.Result, formType, "Invitation").Add(
		form.Field{Var: "uri", Type: form.TextSingle, Label: "The invitation", Values: []string{l.uri(i, token)}})
	if v.site != "" {
		f.Add(form.Field{Var: "landing-url", Type: form.TextSingle, Label: "A page with the invitation", Values: []string{l.page(v.site, token)}})
	}
	f.Add(form.Field{Var: "expire", Type: form.TextSingle, Label: "Until when it is good", Values: []string{i.Expires.UTC().Format(time.RFC3339)}}) // XEP-0082
	return command.Step{Form: f}, nil
}

// received accepts a subscription request that has a good token of its receiver (XEP-0379 §3.5). With any other token it is handled as
// one without (§4.1).
func (v *Invites) received(ctx context.Context, p *router.Pass) error {
	st := p.Stanza
	if skips(st) || !strings.Contains(st.Payload, "preauth") {
		return nil
	}
	token := st.Child(nsPreauth, "preauth").Attr("token")
	if token == "" {
		return nil
	}
	good, err := v.Subscribe(ctx, p.Account.JID(), token)
	if err != nil || !good {
		return err
	}
	return v.contacts.Accept(ctx, p.Account.JID(), st.From.Bare(), p.Route)
}

// skips implements router.Stage.Skip.
func skips(st *stanza.Stanza) bool {
	return st.Kind != stanza.Presence || st.Type != stanza.TypeSubscribe
}

// Registered makes who has registered with an invitation a contact of who has invited.
func (v *Invites) Registered(ctx context.Context, i admin.Invitation, account jid.JID) error {
	if !i.Subscribes || i.Inviter.IsZero() {
		return nil
	}
	return v.contacts.Befriend(ctx, i.Inviter, account)
}
