package pubsub

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/mailbox"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Host is what an engine needs to know about its services.
type Host interface {
	// Nodes returns the nodes of a service.
	Nodes(ctx context.Context, service jid.JID) (*Nodes, error)
	// Change replaces them after a commit. It must not block.
	Change(service jid.JID, change func(*Nodes) *Nodes)
	// Relation returns how an entity, by its bare JID, is related to an account; groups are those of a node.
	Relation(ctx context.Context, service, entity jid.JID, groups []string) (Relation, error)
	// Implicit calls send for the sessions that get the notifications of an account's node without a subscription.
	Implicit(ctx context.Context, service jid.JID, n *Node, send func(session stanza.Receiver)) error
	// MayCreate reports whether an entity, which is not the account, may create nodes.
	MayCreate(ctx context.Context, service, entity jid.JID) bool
}

// Options are the parameters of New.
type Options struct {
	Accounts bool // each service is an account (XEP-0163); otherwise it is a domain
	Defaults func() Config
	Limits   func() Limits
	Host     Host
	Store    Store
	Log      *slog.Logger // nil: slog.Default
	// Available reports whether a subscriber is available; true if that is not known. nil: it is never known.
	Available func(subscriber jid.JID) bool
	// Committed is called after each change of the items of a node, before the notifications, in the order of the
	// changes of a service. It must not make a request of the same service and wait for it. May be nil.
	Committed func(ctx context.Context, c Committed)
}

// Committed is a change of items.
type Committed struct {
	Service jid.JID
	Node    *Node  // as it is after the change; nil if it was deleted
	Name    string // of the node
	Item    *Item  // the item that was published; nil if items were removed
	Retract string // the id of the item that was retracted
	By      string // Publish.By
	Route   func(*stanza.Stanza)
}

// Counters count what was refused because of Limits.
type Counters struct{ Nodes, Items, Bytes, Payload, Subscriptions atomic.Uint64 }

// Engine answers the requests of one or many services. Use New.
type Engine struct {
	Options
	jobs     *mailbox.Group[jid.JID, struct{}]
	Counters Counters
}

// New returns an engine. Call Stop in the end.
func New(o Options) *Engine {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Engine{Options: o, jobs: mailbox.New(context.Background(), mailbox.Options[jid.JID, struct{}]{
		New: func(jid.JID) struct{} { return struct{}{} }, Name: "pubsub service", Log: o.Log,
	})}
}

// Stop waits until ctx ends for the requests that are being handled.
func (e *Engine) Stop(ctx context.Context) { e.jobs.Stop(ctx) }

// Request is an IQ for a service.
type Request struct {
	Stanza  *stanza.Stanza
	Payload *stanza.Element // its only child; must not be modified
	Service jid.JID         // the account or the domain
	Route   func(*stanza.Stanza)
	// RouteToEach routes copies of some stanzas, whose To is empty, to each of several receivers; nil: Route is called for each.
	RouteToEach func([]*stanza.Stanza, []stanza.Receiver)
}

// answer is the payload of a result, as XML.
type answer = string

// Handle answers a request: it returns the payload of the result as XML, a *stanza.Error for the sender, or another
// error, which the caller logs.
func (e *Engine) Handle(ctx context.Context, r *Request) (string, error) {
	action := subject(r.Payload)
	if action == nil {
		return "", stanza.BadRequest("") // XEP-0060 §13.2: the schema
	}
	set := r.Stanza.Type == stanza.TypeSet
	for _, a := range actions {
		if a.space != r.Payload.Space || a.name != action.Local || a.set != set {
			continue
		}
		if !set {
			return a.handle(e, ctx, r, action)
		}
		var xml string
		err := e.inOrder(ctx, r.Service, func() (err error) {
			xml, err = a.handle(e, ctx, r, action)
			return err
		})
		return xml, err
	}
	return "", stanza.FeatureNotImplemented("")
}

// subject returns the element that says what a request is about: the first one that is in the request's namespace.
func subject(payload *stanza.Element) *stanza.Element {
	if payload.Local != "pubsub" {
		return nil
	}
	for x := range payload.Elements() {
		if x.Space == payload.Space {
			return x
		}
	}
	return nil
}

// action is a kind of request.
type action struct {
	space, name string
	set         bool
	handle      func(e *Engine, ctx context.Context, r *Request, x *stanza.Element) (answer, error)
}

// actions are all requests. A set is handled in the mailbox of its service.
var actions = []action{
	{NS, "items", false, (*Engine).items},
	{NS, "publish", true, (*Engine).publish},
	{NS, "retract", true, (*Engine).retract},
	{NS, "create", true, (*Engine).create},
	{NS, "subscribe", true, (*Engine).subscribe},
	{NS, "unsubscribe", true, (*Engine).unsubscribe},
	{NS, "options", false, (*Engine).getOptions},
	{NS, "options", true, (*Engine).setOptions},
	{NS, "default", false, (*Engine).defaultOptions},
	{NS, "subscriptions", false, (*Engine).mySubscriptions},
	{NS, "affiliations", false, (*Engine).myAffiliations},
	{NSOwner, "configure", false, (*Engine).getConfig},
	{NSOwner, "configure", true, (*Engine).setConfig},
	{NSOwner, "default", false, (*Engine).defaultConfig},
	{NSOwner, "delete", true, (*Engine).delete},
	{NSOwner, "purge", true, (*Engine).purge},
	{NSOwner, "subscriptions", false, (*Engine).getSubscriptions},
	{NSOwner, "subscriptions", true, (*Engine).setSubscriptions},
	{NSOwner, "affiliations", false, (*Engine).getAffiliations},
	{NSOwner, "affiliations", true, (*Engine).setAffiliations},
}

// errPanic is the error of a request whose handling has panicked; the mailbox has logged it.
var errPanic = errors.New("pubsub: panic while a request was handled")

// inOrder runs f in the mailbox of a service and waits for it.
func (e *Engine) inOrder(_ context.Context, service jid.JID, f func() error) error {
	err := errPanic
	if ran, _ := e.jobs.RunIdle(service, func(context.Context, struct{}) { err = f() }); ran {
		return err
	}
	done := make(chan struct{})
	var claimed atomic.Bool // by the job, or by the caller when it gives up
	if full := e.jobs.Enqueue(service, func(context.Context, struct{}) {
		if claimed.CompareAndSwap(false, true) {
			defer close(done)
			err = f()
		}
	}); full != nil {
		return stanza.ResourceConstraint("too many requests wait; please try again later")
	}
	select {
	case <-done:
		return err
	case <-e.jobs.Stopped():
	}
	if claimed.CompareAndSwap(false, true) {
		return stanza.ResourceConstraint("the server is stopping")
	}
	<-done
	return err
}

// Forget removes an account that is being deleted from the nodes of a service: its affiliations, its subscriptions, and
// the nodes of a domain that nobody else owns. What is stored is deleted with the account.
func (e *Engine) Forget(ctx context.Context, service, account jid.JID) error {
	return e.inOrder(ctx, service, func() error {
		e.Host.Change(service, func(n *Nodes) *Nodes { return n.without(account, !e.Accounts) })
		return nil
	})
}
