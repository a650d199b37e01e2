package register

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/peerlimit"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of this feature.
const (
	NS       = "jabber:iq:register"
	nsStream = "http://jabber.org/features/iq-register"
)

// Limits on changing passwords: deriving the keys costs about ten milliseconds of CPU.
const (
	changesAtOnce = 5
	changeEvery   = 10 * time.Second // beyond that
)

// Errors of a Store.
var (
	ErrTaken     = errors.New("the name is taken")
	ErrPassword  = errors.New("the password cannot be used")
	ErrNoAccount = router.ErrNoAccount
	ErrForeign   = errors.New("the account has no password here: another back end checks it")
)

// Store keeps the accounts.
type Store interface {
	// Register creates an account. It returns ErrTaken or ErrPassword.
	Register(ctx context.Context, account jid.JID, password string) error
	// SetPassword returns ErrPassword for a password that cannot be used, and ErrForeign for an account that has none here.
	SetPassword(ctx context.Context, account jid.JID, password string) error
	// RemoveAccount marks an account as deleted. From then on nobody can log in, and the rest of the
	// deletion is done even after a restart. It returns ErrNoAccount if there is no such account.
	RemoveAccount(ctx context.Context, account jid.JID) error
}

// Options are the parameters of New.
type Options struct {
	Open        bool        // everybody may create an account
	Invitations Invitations // with which accounts can be created; nil: none
	// Reserved reports whether nobody may create this account by registration. It is answered like a name that is taken. May be nil.
	Reserved func(account jid.JID) bool
	// Foreign reports whether another back end than the store authenticates an account: it can be neither changed nor deleted
	// from a client. May be nil.
	Foreign func(ctx context.Context, account jid.JID) (bool, error)
	Quota   *peerlimit.Quota // of accounts and names by address; nil: no limit
	// Removed is called after an account was marked as deleted, to start the rest of the deletion. It must
	// not block. May be nil.
	Removed func(account jid.JID)
	Log     *slog.Logger
}

// Register answers for one host.
type Register struct {
	Options
	host    *router.Host
	store   Store
	changes *router.Slot[rate.Limiter] // of passwords

	full, tried atomic.Uint64 // how often Quota's limits on accounts and on names were reached
}

// New returns the feature.
func New(h *router.Host, s Store, o Options) *Register {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Quota == nil {
		o.Quota = peerlimit.NewQuota(peerlimit.QuotaLimits{})
	}
	r := &Register{Options: o, host: h, store: s}
	r.changes = &router.Slot[rate.Limiter]{Load: func(context.Context, *router.Account) (*rate.Limiter, error) {
		return rate.NewLimiter(rate.Every(changeEvery), changesAtOnce), nil
	}}
	return r
}

// Feature declares the feature. It is advertised before login only if everybody may create an account
// (XEP-0077 §8).
func (r *Register) Feature() router.Feature {
	iq := map[string]router.IQHandler{NS: r.iq}
	f := router.Feature{
		Name: "register", HostIQ: iq, AccountIQ: iq,
		HostDisco: router.Disco{Info: disco.Info{Features: []string{NS}}},
		Slots:     []router.AccountSlot{r.changes},
		Counters: []router.Counter{
			{Setting: "limits.registrations", Value: &r.full}, {Setting: "limits.registration_names", Value: &r.tried},
		},
		Specs: []spec.Spec{{
			Number: "0077", Title: "In-Band Registration", Version: "2.4", State: spec.Complete,
			Note: "Server and gateways. Accounts, where that is allowed; linking at a gateway.",
		}},
	}
	if r.Open || r.Invitations != nil {
		offered := []*stanza.Element{stanza.NewElement(nsStream, "register")} // XEP-0445 §3 has it too: clients look for it
		if r.Invitations != nil {
			offered = append(offered, stanza.NewElement(nsToken, "register"))
			f.Specs = append(f.Specs, spec.Spec{Number: "0445", Title: "Pre-Authenticated In-Band Registration", Version: "0.2.0", State: spec.Complete, Note: "Server."})
		}
		f.BeforeLogin = &router.BeforeLogin{StreamFeatures: offered, Answer: r.beforeLogin}
	}
	return f
}

func (r *Register) iq(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	// To the host or without To, from a local session.
	if q.Session == nil || q.Account != nil && !q.Own() || !q.Payload.Is(NS, "query") {
		return nil, stanza.ServiceUnavailable("")
	}
	account := q.Session.JID().Bare()
	foreign, err := r.foreign(ctx, account)
	switch {
	case err != nil:
		return nil, err
	case foreign && q.Stanza.Type == stanza.TypeGet:
		return stanza.NewElement(NS, "query").Add(
			stanza.NewElement(NS, "registered"), stanza.TextElement(NS, "username", account.Local()),
			stanza.TextElement(NS, "instructions", "This account is managed elsewhere: its password cannot be changed here."),
		), nil
	case foreign:
		return nil, stanza.NotAllowed("this account is managed elsewhere") // XEP-0077 §3.2, §3.3
	case q.Stanza.Type == stanza.TypeGet:
		return stanza.NewElement(NS, "query").Add(
			stanza.NewElement(NS, "registered"),
			stanza.TextElement(NS, "username", account.Local()),
			stanza.NewElement(NS, "password"),
			changeForm(account),
		), nil // XEP-0077 §3.1, §4
	case q.Payload.Child(NS, "remove") != nil:
		return nil, r.remove(ctx, q, account)
	}
	return nil, r.password(ctx, q, account)
}

func (r *Register) foreign(ctx context.Context, account jid.JID) (bool, error) {
	if r.Foreign == nil {
		return false, nil
	}
	return r.Foreign(ctx, account)
}

// password changes the password (XEP-0077 §3.3). Another account's name is refused (CVE-2009-1595).
func (r *Register) password(ctx context.Context, q *router.IQ, account jid.JID) error {
	asked := parseChange(q.Payload)
	if asked.username == "" || asked.password == "" {
		return stanza.BadRequest("give your user name and the new password")
	}
	named, err := jid.New(asked.username, account.Domain(), "")
	if err != nil || named != account {
		return stanza.NotAllowed("you can change your own password only")
	}
	limiter, err := r.changes.Get(ctx, q.Session.Account())
	if err != nil {
		return err
	}
	if !limiter.Allow() {
		return stanza.ResourceConstraint("the password was changed several times just now: wait a moment")
	}
	err = r.store.SetPassword(ctx, account, asked.password)
	if errors.Is(err, ErrPassword) {
		return stanza.NotAcceptable("this password cannot be used")
	}
	if err != nil {
		return fmt.Errorf("change password of %s: %w", account, err)
	}
	n := 0
	if !asked.keep {
		n = r.host.EndSessions(account, q.Session, "reset", "the password was changed: log in with the new one") // RFC 6120 §4.9.3.16
	}
	for _, b := range q.Session.Account().Sessions() {
		if asked.keep || b == q.Session {
			b.Save() // the store has deleted what it had of all sessions
		}
	}
	r.Log.Info("password changed", "account", account, "ended_sessions", n)
	return nil
}

// remove deletes the account with its sessions, subscriptions and data (XEP-0077 §3.2).
func (r *Register) remove(ctx context.Context, q *router.IQ, account jid.JID) error {
	n := 0
	for range q.Payload.Elements() {
		n++
	}
	if n != 1 {
		return stanza.BadRequest("remove must be the only element of the request")
	}
	err := r.store.RemoveAccount(ctx, account)
	if errors.Is(err, ErrNoAccount) { // a second request: the session is being closed
		return router.ErrAnswered
	}
	if err != nil {
		return fmt.Errorf("delete %s: %w", account, err)
	}
	r.Log.Info("account deleted by its owner", "account", account)
	q.Session.Send(q.Stanza.Result())
	r.host.Remove(account, "not-authorized", "the account has been deleted")
	if r.Removed != nil {
		r.Removed(account)
	}
	return router.ErrAnswered
}
