package pubsub

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// ErrGone is returned by a Store if the node or its account was deleted meanwhile.
var ErrGone = errors.New("the node was deleted")

// Publish is an item that a part of the server publishes in the name of an account.
type Publish struct {
	Service jid.JID
	Node    string
	Item    Item
	Config  Config // of the node, if it does not exist
	By      string // copied to Committed, so that whoever publishes recognises it
	Route   func(*stanza.Stanza)
}

// Publish publishes an item in the name of an account or a domain, as its request would. It waits for the mailbox of the
// service: do not call it from Committed.
func (e *Engine) Publish(ctx context.Context, p Publish) error {
	return e.inOrder(ctx, p.Service, func() error { return e.PublishWithin(ctx, p) })
}

// PublishWithin is Publish for Options.Committed: it runs in the mailbox of the service already.
func (e *Engine) PublishWithin(ctx context.Context, p Publish) error {
	nodes, err := e.Host.Nodes(ctx, p.Service)
	if err != nil {
		return err
	}
	n := nodes.Get(p.Node)
	if n == nil {
		n = e.newNode(p.Node, p.Service, p.Config)
		if nodes.Len() >= e.Limits().Nodes {
			e.Counters.Nodes.Add(1)
			return errTooManyNodes()
		}
	}
	p.Item.Publisher = p.Service
	return e.store(ctx, publication{sender: sender{service: p.Service, route: p.Route}, node: n, items: []Item{p.Item}, nodes: nodes, by: p.By})
}

// Retract removes an item in the name of an account or a domain. It waits for the mailbox of the service.
func (e *Engine) Retract(ctx context.Context, p Publish) error {
	return e.inOrder(ctx, p.Service, func() error { return e.RetractWithin(ctx, p) })
}

// RetractWithin is Retract for Options.Committed.
func (e *Engine) RetractWithin(ctx context.Context, p Publish) error {
	nodes, err := e.Host.Nodes(ctx, p.Service)
	if err != nil {
		return err
	}
	n := nodes.Get(p.Node)
	if n == nil {
		return errNoNode()
	}
	return e.remove(ctx, sender{service: p.Service, route: p.Route}, n, removal{id: p.Item.ID, by: p.By, notify: n.Config.NotifyRetract})
}

func (e *Engine) newNode(name string, creator jid.JID, c Config) *Node {
	return &Node{Name: name, Config: c, Creator: creator.Bare(), Created: time.Now().UTC().Truncate(time.Second)}
}

func errTooManyNodes() *stanza.Error {
	return stanza.ResourceConstraint("there are too many nodes here")
}

// publish handles a publication (XEP-0060 §7.1).
func (e *Engine) publish(ctx context.Context, r *Request, x *stanza.Element) (answer, error) {
	p, err := e.publication(ctx, r, x)
	if err != nil {
		return "", err
	}
	if err := e.store(ctx, p); err != nil {
		return "", err
	}
	return p.answer(), nil
}

// publication checks a request to publish and returns what is to be stored.
func (e *Engine) publication(ctx context.Context, r *Request, x *stanza.Element) (p publication, err error) {
	name := strings.Clone(x.Attr("node")) // it may be kept, and the stanza is not
	if name == "" {
		return p, errNodeIDRequired()
	}
	nodes, err := e.Host.Nodes(ctx, r.Service)
	if err != nil {
		return p, err
	}
	options, err := publishOptions(r.Payload)
	if err != nil {
		return p, err
	}
	n := nodes.Get(name)
	if n == nil {
		if n, err = e.autoCreate(ctx, r, nodes, name, options); err != nil {
			return p, err
		}
	} else if err := e.checkPublish(r, n, options); err != nil {
		return p, err
	}
	item, err := e.item(r, n, x)
	if err != nil {
		return p, err
	}
	return publication{sender: r.sender(), node: n, items: []Item{*item}, nodes: nodes}, nil
}

// answer returns the answer to a request to publish one item.
func (p *publication) answer() answer {
	dst := stanza.AppendAttr([]byte("<pubsub xmlns='"+NS+"'><publish"), "node", p.node.Name)
	dst = stanza.AppendAttr(append(dst, "><item"...), "id", p.items[0].ID)
	return string(append(dst, "/></publish></pubsub>"...))
}

// publishOptions returns the preconditions of a publication, or nil (XEP-0060 §7.1.5): by them a client stores data that
// everybody may see (XEP-0222 §4), or nobody else (XEP-0223 §4).
func publishOptions(payload *stanza.Element) (*form.Form, error) {
	x := payload.Child(NS, "publish-options")
	if x == nil {
		return nil, nil
	}
	f, _, err := submitted(x, nsPublishOptions)
	return f, err
}

func (e *Engine) checkPublish(r *Request, n *Node, options *form.Form) error {
	if !mayPublish(r.Service, n, r.Stanza.From) {
		return e.hide(n, stanza.Forbidden("")) // XEP-0060 §7.1.3.1
	}
	if options != nil && n.Config.meets(options) != nil {
		return errPreconditions()
	}
	return nil
}

// autoCreate returns a new node for a publication, which is stored together with the item (XEP-0060 §7.1.4).
func (e *Engine) autoCreate(ctx context.Context, r *Request, nodes *Nodes, name string, options *form.Form) (*Node, error) {
	if !e.mayCreate(ctx, r) {
		if e.Accounts {
			return nil, errNoNode() // as for an address without an account
		}
		return nil, stanza.Forbidden("")
	}
	c := e.Defaults()
	if options != nil {
		for i := range options.Fields {
			if name := options.Fields[i].Var; name != form.TypeVar && name != "pubsub#node_type" && find(name) == nil {
				return nil, errPreconditions() // XEP-0060 §7.1.5: unknown fields are refused
			}
		}
		var err error
		if c, err = e.acceptable(c.apply(options)); err != nil {
			return nil, errPreconditions()
		}
	}
	if err := e.roomForNode(r, nodes, name); err != nil {
		return nil, err
	}
	return e.created(r, name, c), nil
}

// created returns a new node of the sender.
func (e *Engine) created(r *Request, name string, c Config) *Node {
	n := e.newNode(name, r.Stanza.From, c)
	if n.Creator != r.Service {
		n.Affiliations = map[jid.JID]Affiliation{n.Creator: Owner}
	}
	return n
}

// mayCreate reports whether the sender may create nodes: at an account only the account itself.
func (e *Engine) mayCreate(ctx context.Context, r *Request) bool {
	if e.Accounts {
		return r.Stanza.From.Bare() == r.Service
	}
	return e.Host.MayCreate(ctx, r.Service, r.Stanza.From.Bare())
}

// serviceShare is the part of a host's nodes, and of their bytes, that one account may have: a hundredth.
const serviceShare = 100

// roomForNode checks the name of a new node, and the number of nodes.
func (e *Engine) roomForNode(r *Request, nodes *Nodes, name string) error {
	if len(name) > MaxName {
		return stanza.NotAcceptable("the name of the node is too long")
	}
	most := e.Limits().Nodes
	if nodes.Len() >= most || !e.Accounts && nodes.createdBy(r.Stanza.From.Bare()) >= max(1, most/serviceShare) {
		e.Counters.Nodes.Add(1)
		return errTooManyNodes()
	}
	return nil
}

// item reads the item of a publication.
func (e *Engine) item(r *Request, n *Node, x *stanza.Element) (*Item, error) {
	item := &Item{Publisher: r.Stanza.From.Bare(), At: time.Now()}
	count := 0
	for i := range x.Named(NS, "item") {
		if count++; count > 1 {
			return nil, with(stanza.BadRequest("one item at a time"), "invalid-payload")
		}
		item.ID = i.Attr("id")
		payload, err := e.payload(n, i)
		if err != nil {
			return nil, err
		}
		item.Payload = payload
	}
	switch {
	case count == 0 && (n.Config.Persist || n.Config.Payloads):
		return nil, with(stanza.BadRequest(""), "item-required") // XEP-0060 §7.1.3.7
	case count == 1 && !n.Config.Persist && !n.Config.Payloads:
		return nil, with(stanza.BadRequest(""), "item-forbidden")
	case item.Payload == "" && n.Config.Payloads:
		return nil, with(stanza.BadRequest(""), "payload-required")
	case len(item.ID) > MaxName:
		return nil, stanza.NotAcceptable("the id of the item is too long")
	}
	if item.ID == "" {
		item.ID = stanza.NewID() // XEP-0060 §7.1.2
	}
	return item, nil
}

// payload returns the payload of an item as XML, or "".
func (e *Engine) payload(n *Node, item *stanza.Element) (string, error) {
	var list []*stanza.Element
	size := 0
	for c := range item.Elements() {
		switch {
		case len(list) > 0 && !n.picture(item.Attr("id")):
			return "", errInvalidPayload("an item has one payload") // XEP-0060 §7.1.3.6
		case c.Space == "":
			return "", errInvalidPayload("the payload has no namespace")
		case !e.fitsType(n, item.Attr("id"), c):
			return "", errInvalidPayload("the node is for payloads of another namespace")
		}
		list, size = append(list, c), size+c.EncodedLen()
	}
	if size > n.Config.payload(e.Limits()) {
		e.Counters.Payload.Add(1)
		return "", errPayloadTooBig()
	}
	return stanza.Encode(list...), nil
}

// fitsType reports whether a payload is one that the node is for (pubsub#type). A space has items of many kinds.
func (e *Engine) fitsType(n *Node, id string, payload *stanza.Element) bool {
	switch {
	case n.picture(id):
		return payload.Is(nsPicture, "metadata")
	case n.Config.Type == "" || n.Config.Type == NSSpaces || e.Accounts:
		return true
	}
	return payload.Space == n.Config.Type
}

// gone turns ErrGone into the error for the sender.
func gone(err error) error {
	if errors.Is(err, ErrGone) {
		return errNoNode()
	}
	return err
}
