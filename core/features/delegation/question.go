package delegation

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const (
	configureNode  = NS + "#configure" // XEP-0355 §6
	fieldChallenge = "challenge"
	maxNamespaces  = 20 // of one question
	yes, no        = "1", "0"
)

// request handles the question of an entity whether an account delegates namespaces to it (XEP-0355 §5.1). The answer is the same whether
// there is the account, has a session, has blocked the entity, or was asked too often (XEP-0355 §10 rule 4).
func (c *consents) request(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	if q.Stanza.Type != stanza.TypeGet || q.Payload.Local != "query" {
		return nil, stanza.BadRequest("")
	}
	account, err := jid.Parse(q.Payload.Attr("to"))
	if err != nil || !account.IsBare() || account.Local() == "" {
		return nil, stanza.BadRequest("to is not the address of an account")
	}
	if account.Host() != c.host.Domain() {
		return nil, stanza.ItemNotFound("")
	}
	var namespaces []string
	for e := range q.Payload.Elements() {
		namespace := e.Attr("namespace")
		switch {
		case e.Space != NS || e.Local != "delegate" || namespace == "":
			return nil, stanza.BadRequest("")
		case strings.HasPrefix(namespace, NS): // XEP-0355 §8 rule 5
			return nil, stanza.Forbidden("")
		case c.allowed[namespace] && !slices.Contains(namespaces, namespace):
			namespaces = append(namespaces, namespace)
		}
	}
	entity := q.Stanza.From
	if len(namespaces) == 0 || len(namespaces) > maxNamespaces || entity.Bare() == account {
		return nil, stanza.Forbidden("") // XEP-0355 §10 rule 2
	}
	return nil, c.ask(ctx, q, account, question{challenge: rand.Text(), entity: entity, namespaces: namespaces, at: time.Now()})
}

// ask puts a question to an account.
func (c *consents) ask(ctx context.Context, q *router.IQ, address jid.JID, about question) error {
	at, err := c.host.Acquire(ctx, address)
	if err != nil || at.Account == nil || len(at.Account.Sessions()) == 0 {
		return err
	}
	if blocked, err := c.blocks.Blocks(ctx, at.Account, about.entity); blocked || err != nil {
		return err
	}
	own, err := c.slot.Get(ctx, at.Account)
	if err != nil {
		return err
	}
	ok, crowded := own.put(about, int(c.limit.Load()))
	if crowded {
		c.crowded.Add(1)
	}
	if ok {
		q.Route(c.message(address, about))
	}
	return nil
}

// message is the question as the account reads it.
func (c *consents) message(to jid.JID, q question) *stanza.Stanza {
	const warning = "Whoever answers such requests in place of this server sees and changes what they are about. Allow it only if you have asked for it yourself and trust that address. " +
		"It ends when you disconnect."
	f := form.New(form.Ask, NS, "Delegation request")
	f.Instructions = []string{q.entity.String() + " wants to answer the following requests to your account in place of this server. " + warning}
	f.Add(form.Field{Var: fieldChallenge, Type: form.Hidden, Values: []string{q.challenge}})
	for _, namespace := range q.namespaces {
		f.Choice(namespace, label(namespace), no, form.Option{Label: "No", Value: no}, form.Option{Label: "Yes", Value: yes})
	}
	text := f.Instructions[0] + "\n\n" + strings.Join(q.namespaces, "\n")
	return stanza.NewMessage(to, c.host.Domain(), "", stanza.TextElement(stanza.NSClient, "body", text), f.Element(), stanza.NewElement("urn:xmpp:hints", "no-store"))
}

// label names a namespace for people.
func label(namespace string) string {
	names := map[string]string{
		"http://jabber.org/protocol/pubsub": "Profile, avatar, bookmarks and other published data", "http://jabber.org/protocol/pubsub#owner": "Settings of published data",
		"jabber:iq:roster": "Contact list", "jabber:iq:private": "Private data", "vcard-temp": "Business card", "urn:xmpp:mam:2": "Archive of messages",
	}
	if name := names[namespace]; name != "" {
		return name + " (" + namespace + ")"
	}
	return namespace
}

// answered handles an account's answer (XEP-0355 §5.1).
func (c *consents) answered(ctx context.Context, p *router.Pass) error {
	x := p.Stanza.Child(form.NS, "x")
	if x == nil || p.Session == nil || p.Session.Account().Host() != c.host || p.Stanza.Type == stanza.TypeError {
		return nil
	}
	f, err := form.Parse(x)
	// The form's type is empty in the answers of the specification's example.
	if err != nil || f.Kind == form.Ask || f.Kind == form.Result || !f.Has(fieldChallenge) || f.FormType() != NS && f.FormType() != "" {
		return nil
	}
	account := p.Session.Account()
	own, err := c.slot.Get(ctx, account)
	if err != nil {
		return err
	}
	q, ok := own.take(f.Get(fieldChallenge), time.Now())
	if !ok {
		return stanza.ItemNotFound("you were not asked that, or too long ago")
	}
	var allowed []string
	for _, namespace := range q.namespaces {
		if f.Kind == form.Submit && f.IsTrue(namespace) {
			allowed = append(allowed, namespace)
		}
	}
	if len(allowed) > 0 {
		c.notify(account, own, own.give(allowed, given{q.entity, p.Session}), p.Route)
	}
	return router.ErrStop
}

// configure lets accounts see and end what they have allowed (XEP-0355 §6).
func (c *consents) configure() command.Command {
	return command.Command{
		Node: configureNode, Name: "What other addresses answer for you", Desc: "Which requests to your account are answered in place of the server.",
		Allowed: func(_ context.Context, who command.Caller) bool {
			return who.JID.Local() != "" && who.JID.Host() == c.host.Domain()
		},
		Run: func(ctx context.Context, who command.Caller) (command.Step, error) {
			at, own, err := c.of(ctx, who.JID)
			if err != nil {
				return command.Step{}, err
			}
			all := own.all(at.Account)
			if len(all) == 0 {
				return command.Done("The server answers all requests to your account itself."), nil
			}
			f := form.New(form.Ask, NS, "What other addresses answer for you")
			f.Instructions = []string{"All of this ends when the session ends with which you have allowed it."}
			for _, namespace := range slices.Sorted(maps.Keys(all)) {
				f.Choice(namespace, label(namespace)+": "+all[namespace].String(), yes, form.Option{Label: "No longer", Value: no}, form.Option{Label: "Yes", Value: yes})
			}
			return command.Ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
				return c.reconfigure(ctx, who.JID, answers)
			}), nil
		},
	}
}

// reconfigure ends what an account no longer allows.
func (c *consents) reconfigure(ctx context.Context, who jid.JID, answers *form.Form) (command.Step, error) {
	at, own, err := c.of(ctx, who)
	if err != nil {
		return command.Step{}, err
	}
	var ended []string
	for namespace := range own.all(at.Account) {
		if answers.Has(namespace) && !answers.IsTrue(namespace) {
			ended = append(ended, namespace)
		}
	}
	c.notify(at.Account, own, own.revoke(ended), c.host.Router().Route)
	return command.Done("Done."), nil
}

// of returns the account of a session, and what it delegates.
func (c *consents) of(ctx context.Context, who jid.JID) (router.Location, *consent, error) {
	at, err := c.host.Acquire(ctx, who.Bare())
	if err != nil {
		return at, nil, err
	}
	if at.Account == nil {
		return at, nil, stanza.ItemNotFound("")
	}
	own, err := c.slot.Get(ctx, at.Account)
	return at, own, err
}
