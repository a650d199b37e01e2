package register

import (
	"context"
	"errors"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// beforeLogin answers an IQ of a connection that has not logged in. It returns nil for a result or an
// error. It may wait for the store.
func (r *Register) beforeLogin(ctx context.Context, who *router.Unauthenticated, iq *stanza.Stanza) *stanza.Stanza {
	if !iq.IsRequest() {
		return nil
	}
	answer, err := r.answer(ctx, who, iq)
	if err == nil {
		return iq.Result(answer)
	}
	var e *stanza.Error
	if !errors.As(err, &e) {
		e = r.host.LogError(err, "account not created")
	}
	return iq.ErrorReply(e)
}

func (r *Register) answer(ctx context.Context, who *router.Unauthenticated, iq *stanza.Stanza) (*stanza.Element, error) {
	query := iq.FirstChild()
	switch {
	case query.Is(nsPreauth, "preauth") && (iq.To.IsZero() || iq.To == r.host.Domain()):
		return nil, r.preauth(ctx, who, iq)
	case !query.Is(NS, "query") || !iq.To.IsZero() && iq.To != r.host.Domain():
		return nil, stanza.NotAuthorized("log in first")
	case !r.Open && who.Token == "":
		return nil, stanza.NotAllowed("registration is by invitation only")
	case iq.Type == stanza.TypeGet:
		return stanza.NewElement(NS, "query").Add(
			stanza.TextElement(NS, "instructions", "Choose a user name and a password."),
			stanza.NewElement(NS, "username"), stanza.NewElement(NS, "password"),
		), nil
	case query.Child(NS, "remove") != nil:
		return nil, stanza.UnexpectedRequest("") // XEP-0077 §3.2
	}
	return nil, r.create(ctx, who, query)
}

func (r *Register) create(ctx context.Context, who *router.Unauthenticated, query *stanza.Element) error {
	name, password := query.ChildText(NS, "username"), query.ChildText(NS, "password")
	if name == "" || password == "" {
		return stanza.NotAcceptable("give a user name and a password") // XEP-0077 §3.1
	}
	account, err := jid.New(name, r.host.Domain().Domain(), "")
	if err != nil {
		return stanza.JIDMalformed("this user name cannot be used")
	}
	if !r.Quota.TakeAccount(who.Address) {
		r.full.Add(1)
		return stanza.ResourceConstraint("too many accounts were created from your address just now: wait, or ask the operator")
	}
	err = r.register(ctx, who, account, password)
	if err != nil {
		r.Quota.ReturnAccount(who.Address)
	}
	if errors.Is(err, ErrTaken) && !r.Quota.NameTaken(who.Address) {
		r.tried.Add(1)
		return stanza.ResourceConstraint("too many names were tried from your address just now: wait a while")
	}
	switch {
	case errors.Is(err, ErrTaken):
		return stanza.Conflict("this name is taken")
	case errors.Is(err, ErrPassword):
		return stanza.NotAcceptable("this password cannot be used")
	case err == nil:
		r.Log.Info("account created by registration", "account", account, "from", who.Address)
	}
	return err
}
