package pubsub

import (
	"context"
	"net/url"
	"strings"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
)

// NSSpaces is the type of a node that is a space, and the feature of a room that is in one (XEP-0503 §3, §5.5).
const NSSpaces = "urn:xmpp:spaces:0"

// Items with the pictures of a space (XEP-0503 §5.2.1).
const (
	itemAvatar = "urn:xmpp:spaces:avatar:metadata:0"
	itemBanner = "urn:xmpp:spaces:banner:metadata:0"
	nsPicture  = "urn:xmpp:avatar:metadata"
)

// picture reports whether an item is a picture of a space. It may describe several formats of it.
func (n *Node) picture(item string) bool {
	return n.Config.Type == NSSpaces && (item == itemAvatar || item == itemBanner)
}

// checkSpace refuses a configuration by which a space could not be used (XEP-0503 §3).
func (c Config) checkSpace() error {
	if c.Type != NSSpaces {
		return nil
	}
	switch {
	case !c.Persist:
		return &form.FieldError{Var: "pubsub#persist_items", Problem: "must be true for a space"}
	case !c.NotifyRetract:
		return &form.FieldError{Var: "pubsub#notify_retract", Problem: "must be true for a space"}
	case c.Access != Open && c.Access != Authorize && c.Access != Whitelist:
		return &form.FieldError{Var: "pubsub#access_model", Problem: "must be open, authorize or whitelist for a space"}
	}
	return nil
}

// Space is a space as one entity sees it.
type Space struct {
	Node, Title string
	Affiliation Affiliation
	State       State // of the entity's subscription
}

// MayPublish reports whether the entity may add rooms to the space.
func (s *Space) MayPublish() bool {
	return s.Affiliation == Owner || s.Affiliation == Publisher || s.Affiliation == PublishOnly
}

// Name is what the space is called.
func (s *Space) Name() string {
	if s.Title == "" {
		return s.Node
	}
	return s.Title
}

// Spaces lists the spaces of a service that an entity may know of, by node.
func (e *Engine) Spaces(ctx context.Context, service, who jid.JID) ([]Space, error) {
	nodes, err := e.Host.Nodes(ctx, service)
	if err != nil {
		return nil, err
	}
	var list []Space
	for _, n := range nodes.All() {
		if n.Config.Type != NSSpaces {
			continue
		}
		s := Space{Node: n.Name, Title: n.Config.Title, Affiliation: affiliation(service, n, who), State: NotSubscribed}
		for i := range n.Subscriptions {
			if n.Subscriptions[i].JID.Bare() == who.Bare() {
				s.State = n.Subscriptions[i].State
			}
		}
		if n.admits(s.Affiliation, true, Relation{}) == nil {
			list = append(list, s)
		}
	}
	return list, nil
}

// IsSpace reports whether a node is a space.
func (e *Engine) IsSpace(ctx context.Context, service jid.JID, node string) (bool, error) {
	nodes, err := e.Host.Nodes(ctx, service)
	if err != nil {
		return false, err
	}
	n := nodes.Get(node)
	return n != nil && n.Config.Type == NSSpaces, nil
}

// beginURI and nodeURI are the parts of the address of a node around the address of its service (XEP-0060 §12.20).
const (
	beginURI = "xmpp:"
	nodeURI  = "?;node="
)

// NodeURI returns the address of a node as an IRI.
func NodeURI(service jid.JID, node string) string {
	return beginURI + service.String() + nodeURI + strings.ReplaceAll(url.QueryEscape(node), "+", "%20")
}

// ParseNodeURI reads the address of a node; false if it is none.
func ParseNodeURI(uri string) (service jid.JID, node string, ok bool) {
	rest, found := strings.CutPrefix(uri, beginURI)
	address, escaped, isNode := strings.Cut(rest, nodeURI)
	if !found || !isNode {
		return service, "", false
	}
	node, err := url.PathUnescape(escaped)
	if err != nil || node == "" {
		return service, "", false
	}
	service, err = jid.Parse(address)
	return service, node, err == nil
}

// SpaceForm is what an entity says about the space that it is in (XEP-0503 §5.5).
func SpaceForm(uri string) *form.Form {
	return form.New(form.Result, NSSpaces, "").Add(form.Field{Var: "parent", Type: form.TextSingle, Label: "Space", Values: []string{uri}})
}
