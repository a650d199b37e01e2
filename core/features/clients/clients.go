package clients

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NS is the namespace of XEP-0494.
const NS = "urn:xmpp:cam:0"

// Errors of Store.Revoke.
var (
	ErrNoClient = errors.New("no such client")
	ErrPassword = errors.New("the client knows the password")
)

// Client is a client that has logged in to an account.
type Client struct {
	ID               string // by which the account's owner refers to it
	Agent            string // as router.Bound.Client has it
	Software, Device string
	First, Last      time.Time // when it has logged in
	Password         bool      // it has logged in with the password that the account has now
	Grant            bool      // with a grant of an identity provider
	Token            bool      // it has a valid token (XEP-0484)
}

// Store holds the clients of accounts.
type Store interface {
	// Clients returns the clients of an account, the one that was seen last first.
	Clients(ctx context.Context, account jid.JID) ([]Client, error)
	// Revoke withdraws the access of a client and returns its Agent. ErrNoClient, ErrPassword.
	Revoke(ctx context.Context, account jid.JID, id string) (agent string, err error)
	// Limited counts clients that were forgotten because their account has too many.
	Limited() *atomic.Uint64
}

// Clients shows and revokes the clients of a host's accounts.
type Clients struct {
	host  *router.Host
	store Store
	log   *slog.Logger
}

// New returns the feature.
func New(h *router.Host, s Store, log *slog.Logger) *Clients { return &Clients{h, s, log} }

// Feature declares the feature.
func (c *Clients) Feature() router.Feature {
	return router.Feature{
		Name:         "clients",
		AccountIQ:    map[string]router.IQHandler{NS: router.Own(c.iq)},
		AccountDisco: router.Disco{Info: disco.Info{Features: []string{NS}}},
		Counters:     []router.Counter{{Setting: "limits.clients", Value: c.store.Limited()}},
		Specs:        []spec.Spec{{Number: "0494", Title: "Client Access Management", Version: "0.1.0", State: spec.Complete, Note: "Server."}},
	}
}

func (c *Clients) iq(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	switch {
	case q.Stanza.Type == stanza.TypeGet && q.Payload.Local == "list":
		return c.list(ctx, q.Account)
	case q.Stanza.Type == stanza.TypeSet && q.Payload.Local == "revoke":
		return nil, c.revoke(ctx, q.Account.JID(), q.Payload.Attr("id"))
	}
	return nil, stanza.BadRequest("")
}

// list answers with the clients that have access (XEP-0494 §3.1).
func (c *Clients) list(ctx context.Context, account *router.Account) (*stanza.Element, error) {
	known, err := c.store.Clients(ctx, account.JID())
	if err != nil {
		return nil, err
	}
	connected := map[string]bool{}
	for _, s := range account.Sessions() {
		connected[s.Client()] = true
	}
	out := stanza.NewElement(NS, "clients")
	for i := range known {
		if k := &known[i]; k.Password || k.Grant || k.Token || connected[k.Agent] {
			out.Add(k.element(connected[k.Agent]))
		}
	}
	return out, nil
}

func (k *Client) element(connected bool) *stanza.Element {
	state := "false"
	if connected {
		state = "true"
	}
	text := func(local, value string) *stanza.Element { return stanza.TextElement(NS, local, value) }
	auth, agent := stanza.NewElement(NS, "auth"), stanza.NewElement(NS, "user-agent")
	if k.Password {
		auth.Add(stanza.NewElement(NS, "password"))
	}
	if k.Grant {
		auth.Add(stanza.NewElement(NS, "grant"))
	}
	if k.Token {
		auth.Add(stanza.NewElement(NS, "fast"))
	}
	if k.Software != "" {
		agent.Add(text("software", k.Software))
	}
	if k.Device != "" {
		agent.Add(text("device", k.Device))
	}
	return stanza.NewElement(NS, "client").With("connected", state).With("id", k.ID).With("type", "session").Add(
		text("first-seen", k.First.UTC().Format(time.RFC3339)), text("last-seen", k.Last.UTC().Format(time.RFC3339)),
		auth, stanza.NewElement(NS, "permission").With("status", "unrestricted"), agent,
	)
}

// revoke withdraws the access of a client and ends its sessions (XEP-0494 §3.2).
func (c *Clients) revoke(ctx context.Context, account jid.JID, id string) error {
	agent, err := c.store.Revoke(ctx, account, id)
	switch {
	case errors.Is(err, ErrNoClient):
		return stanza.ItemNotFound("there is no such client")
	case errors.Is(err, ErrPassword):
		e := stanza.ServiceUnavailable("this client knows the password: change it to lock the client out")
		e.App = stanza.NewElement(NS, "password-reset-required")
		return e
	case err != nil:
		return err
	}
	n := c.host.EndClient(account, agent, "not-authorized", "access was revoked by another client of the account")
	c.log.Info("access of a client revoked", "account", account, "sessions", n)
	return nil
}
