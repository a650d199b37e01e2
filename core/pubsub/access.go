package pubsub

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Relation is how an entity is related to the account whose nodes it asks for. It is empty at a domain.
type Relation struct {
	Presence bool // the entity is subscribed to the account's presence
	InGroup  bool // it is in one of the roster groups of the node
	Blocked  bool // the account has blocked it
}

// affiliation returns the affiliation of an entity; an account owns all its nodes.
func affiliation(service jid.JID, n *Node, entity jid.JID) Affiliation {
	if entity.Bare() == service {
		return Owner
	}
	return n.Affiliation(entity)
}

// admits reports whether an entity may subscribe to a node and retrieve its items. A nil error means that it may.
func (n *Node) admits(a Affiliation, subscribed bool, rel Relation) *stanza.Error {
	switch a {
	case Owner, Publisher, Member:
		return nil
	case Outcast:
		return stanza.Forbidden("") // XEP-0060 §6.1.3.8
	case PublishOnly:
		return stanza.Forbidden("") // XEP-0060 §4.1: it may not subscribe or retrieve
	}
	switch n.Config.Access {
	case Open:
		return nil
	case Presence:
		if !rel.Presence {
			return with(stanza.NotAuthorized(""), "presence-subscription-required")
		}
	case Roster:
		if !rel.Presence || !rel.InGroup {
			return with(stanza.NotAuthorized(""), "not-in-roster-group")
		}
	case Authorize:
		if !subscribed {
			return with(stanza.NotAuthorized(""), "not-subscribed")
		}
	default:
		return with(stanza.NotAllowed(""), "closed-node")
	}
	return nil
}

// relation returns the relation of an entity, which is looked up only where the node or the service needs it.
func (e *Engine) relation(ctx context.Context, service jid.JID, n *Node, entity jid.JID) (Relation, error) {
	if !e.Accounts || entity.Bare() == service {
		return Relation{}, nil
	}
	return e.Host.Relation(ctx, service, entity.Bare(), n.Config.Groups)
}

// mayRead checks whether the sender may subscribe to a node and retrieve its items.
func (e *Engine) mayRead(ctx context.Context, service jid.JID, n *Node, entity jid.JID) error {
	rel, err := e.relation(ctx, service, n, entity)
	if err != nil {
		return err
	}
	if refusal := n.admits(affiliation(service, n, entity), n.subscribed(entity), rel); refusal != nil {
		return e.hide(n, refusal)
	}
	return nil
}

// hide replaces the refusal of a private node of an account: others must not learn that it exists.
func (e *Engine) hide(n *Node, refusal *stanza.Error) error {
	if e.Accounts && n.Config.Access == Whitelist {
		return errNoNode()
	}
	return refusal
}

// mayPublish reports whether an entity may publish to a node (XEP-0060 §4.1, pubsub#publish_model).
func mayPublish(service jid.JID, n *Node, entity jid.JID) bool {
	switch affiliation(service, n, entity) {
	case Owner, Publisher, PublishOnly:
		return true
	case Outcast:
		return false
	}
	switch n.Config.Publish {
	case "open":
		return true
	case subscribers:
		return n.subscribed(entity)
	}
	return false
}

// Receives reports whether a contact of an account, which is subscribed to its presence, gets the notifications of a node
// without a subscription (XEP-0060 §9.1.2). inGroups is called for access model roster.
func (n *Node) Receives(contact jid.JID, inGroups func(groups []string) bool) bool {
	switch n.Affiliation(contact) {
	case Owner, Publisher, Member:
		return true
	case Outcast, PublishOnly:
		return false
	}
	switch n.Config.Access {
	case Open, Presence:
		return true
	case Roster:
		return inGroups(n.Config.Groups)
	case Authorize:
		return n.subscribed(contact)
	}
	return false
}

// node returns the node that a request names.
func (e *Engine) node(ctx context.Context, r *Request, name string) (*Node, error) {
	if name == "" {
		return nil, errNodeIDRequired()
	}
	nodes, err := e.Host.Nodes(ctx, r.Service)
	if err != nil {
		return nil, err
	}
	n := nodes.Get(name)
	if n == nil {
		return nil, errNoNode()
	}
	return n, nil
}

// owned returns a node that a request names and whose owner the sender is (XEP-0060 §8).
func (e *Engine) owned(ctx context.Context, r *Request, name string) (*Node, error) {
	n, err := e.node(ctx, r, name)
	if err != nil {
		return nil, err
	}
	if affiliation(r.Service, n, r.Stanza.From) != Owner {
		return nil, e.hide(n, stanza.Forbidden(""))
	}
	return n, nil
}
