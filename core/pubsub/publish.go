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
	return e.store(ctx, publication{sender{p.Service, p.Route}, n, &p.Item, nodes, p.By})
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
	return e.remove(ctx, sender{p.Service, p.Route}, n, removal{id: p.Item.ID, by: p.By, notify: n.Config.NotifyRetract})
}

func (e *Engine) newNode(name string, creator jid.JID, c Config) *Node {
	return &Node{Name: name, Config: c, Creator: creator.Bare(), Created: time.Now().UTC().Truncate(time.Second)}
}

func errTooManyNodes() *stanza.Error {
	return stanza.ResourceConstraint("there are too many nodes here")
}

// publish handles a publication (XEP-0060 §7.1).
func (e *Engine) publish(ctx context.Context, r *Request, x *stanza.Element) (answer, error) {
	name := strings.Clone(x.Attr("node")) // it may be kept, and the stanza is not
	if name == "" {
		return "", errNodeIDRequired()
	}
	nodes, err := e.Host.Nodes(ctx, r.Service)
	if err != nil {
		return "", err
	}
	options, err := publishOptions(r.Payload)
	if err != nil {
		return "", err
	}
	n := nodes.Get(name)
	if n == nil {
		if n, err = e.autoCreate(ctx, r, nodes, name, options); err != nil {
			return "", err
		}
	} else if err := e.checkPublish(r, n, options); err != nil {
		return "", err
	}
	item, err := e.item(r, n, x)
	if err != nil {
		return "", err
	}
	if err := e.store(ctx, publication{r.sender(), n, item, nodes, ""}); err != nil {
		return "", err
	}
	dst := stanza.AppendAttr([]byte("<pubsub xmlns='"+NS+"'><publish"), "node", name)
	dst = stanza.AppendAttr(append(dst, "><item"...), "id", item.ID)
	return string(append(dst, "/></publish></pubsub>"...)), nil
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
	var payload *stanza.Element
	for c := range item.Elements() {
		switch {
		case payload != nil:
			return "", errInvalidPayload("an item has one payload") // XEP-0060 §7.1.3.6
		case c.Space == "":
			return "", errInvalidPayload("the payload has no namespace")
		case n.Config.Type != "" && !e.Accounts && c.Space != n.Config.Type:
			return "", errInvalidPayload("the node is for payloads of another namespace")
		}
		payload = c
	}
	if payload == nil {
		return "", nil
	}
	if payload.EncodedLen() > n.Config.payload(e.Limits()) {
		e.Counters.Payload.Add(1)
		return "", errPayloadTooBig()
	}
	return payload.String(), nil
}

// publication is an item that is to be stored.
type publication struct {
	sender
	node  *Node
	item  *Item
	nodes *Nodes
	by    string
}

// store writes an item, and its node if that is new, and notifies the subscribers.
func (e *Engine) store(ctx context.Context, p publication) error {
	create := p.nodes.Get(p.node.Name) == nil
	keep, size := p.node.Config.items(e.Limits()), int64(len(p.item.Payload)+len(p.item.ID))
	c := &Change{Node: p.node.Name}
	if create {
		c.Put, c.Create, c.Affiliations = p.node, true, p.node.Affiliations
	}
	if p.node.Config.Persist {
		if err := e.fits(ctx, p, size); err != nil {
			return err
		}
		c.Item, c.Keep, c.Expired = p.item, keep, p.node.expired()
	}
	if create || c.Item != nil {
		if err := e.Store.Write(ctx, p.service, c); err != nil {
			return gone(err)
		}
		if create || c.Result.Size != 0 {
			e.Host.Change(p.service, func(nodes *Nodes) *Nodes {
				if create {
					nodes = nodes.with(p.node.Name, p.node)
				}
				nodes = nodes.withBytes(nodes.bytes + c.Result.Size)
				if known, ok := nodes.shares[p.node.Creator]; ok {
					nodes = nodes.withShare(p.node.Creator, known+c.Result.Size)
				}
				return nodes
			})
		}
	}
	if e.Committed != nil {
		e.Committed(ctx, Committed{Service: p.service, Node: p.node, Name: p.node.Name, Item: p.item, By: p.by, Route: p.route})
	}
	if p.node.Config.Notifications {
		e.notify(ctx, p.sender, p.node, string(appendItems(nil, p.service, p.node, []Item{*p.item}, true)))
	}
	if len(c.Result.Removed) > 0 && p.node.Config.Full == retractOldest && p.node.Config.NotifyRetract {
		e.notify(ctx, p.sender, p.node, retraction(p.node.Name, c.Result.Removed...)) // XEP-0060 §7.1.2.5
	}
	return nil
}

// fits checks the limits of what is stored.
func (e *Engine) fits(ctx context.Context, p publication, size int64) error {
	limits := e.Limits()
	if p.node.Config.Full == rejectNew {
		page, err := e.Store.Items(ctx, p.service, Query{Node: p.node.Name, IDs: []string{p.item.ID}, After: p.node.expired(), Bytes: 1})
		if err != nil {
			return err
		}
		if len(page.Items) == 0 && page.Count >= p.node.Config.items(limits) {
			e.Counters.Items.Add(1)
			return with(stanza.Conflict(""), "node-full") // XEP-0060 §7.1.3.4
		}
	}
	if !e.Accounts {
		if err := e.fitsShare(ctx, p, size); err != nil {
			return err
		}
	}
	if p.nodes == nil || p.nodes.bytes+size <= limits.Bytes {
		return nil
	}
	bytes, err := e.Store.Bytes(ctx, p.service) // what is known counts items that were replaced
	if err != nil {
		return err
	}
	e.Host.Change(p.service, func(n *Nodes) *Nodes { return n.withBytes(bytes) })
	if bytes+size > limits.Bytes {
		e.Counters.Bytes.Add(1)
		return stanza.ResourceConstraint("too much is stored here already")
	}
	return nil
}

// fitsShare checks that the nodes of one creator take no more than a share of the service: else one account could use all of it.
func (e *Engine) fitsShare(ctx context.Context, p publication, size int64) error {
	limits, creator := e.Limits(), p.node.Creator
	most := max(limits.Bytes/serviceShare, int64(limits.Payload))
	if known, ok := p.nodes.shares[creator]; ok && known+size <= most {
		return nil
	}
	bytes, err := e.Store.BytesOf(ctx, p.service, creator) // what is known counts items that were replaced or removed
	if err != nil {
		return err
	}
	e.Host.Change(p.service, func(n *Nodes) *Nodes { return n.withShare(creator, bytes) })
	if bytes+size > most {
		e.Counters.Bytes.Add(1)
		return stanza.ResourceConstraint("too much is stored already at the nodes of " + creator.String())
	}
	return nil
}

// gone turns ErrGone into the error for the sender.
func gone(err error) error {
	if errors.Is(err, ErrGone) {
		return errNoNode()
	}
	return err
}
