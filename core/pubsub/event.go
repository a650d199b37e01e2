package pubsub

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// appendItem appends an item as XML, in the namespace around it.
func appendItem(dst []byte, service jid.JID, i *Item, payload bool) []byte {
	dst = append(dst, "<item"...)
	dst = stanza.AppendAttr(dst, "id", i.ID)
	if i.Publisher != service && !i.Publisher.IsZero() {
		dst = stanza.AppendAttr(dst, "publisher", i.Publisher.String()) // XEP-0060 §7.1.2.3; never what the publisher wrote
	}
	if !payload || i.Payload == "" {
		return append(dst, "/>"...)
	}
	dst = append(dst, '>')
	dst = append(dst, i.Payload...)
	return append(dst, "</item>"...)
}

// appendItems appends <items/> with items, for a notification or else for a request, whose answer always has the payloads.
func appendItems(dst []byte, service jid.JID, n *Node, items []Item, notification bool) []byte {
	dst = append(dst, "<items"...)
	dst = stanza.AppendAttr(dst, "node", n.Name)
	dst = append(dst, '>')
	for i := range items {
		item := items[i]
		if n.Config.ItemReply == replyNone { // XEP-0060 §12.17
			item.Publisher = jid.JID{}
		}
		dst = appendItem(dst, service, &item, n.Config.Payloads || !notification)
	}
	return append(dst, "</items>"...)
}

// event returns a notification without a receiver; content is the XML inside <event/>.
func event(service jid.JID, n *Node, content string) *stanza.Stanza {
	st := stanza.NewMessage(jid.JID{}, service, n.Config.MessageType)
	if st.Type == stanza.TypeNormal {
		st.Type = ""
	}
	st.Payload = "<event xmlns='" + NSEvent + "'>" + content + "</event>"
	return st
}

// retraction returns the content of a notification that an item was removed.
func retraction(node string, ids ...string) string {
	dst := stanza.AppendAttr([]byte("<items"), "node", node)
	dst = append(dst, '>')
	for _, id := range ids {
		dst = append(dst, "<retract"...)
		dst = stanza.AppendAttr(dst, "id", id)
		dst = append(dst, "/>"...)
	}
	return string(append(dst, "</items>"...))
}

// notify sends a notification to all who get those of a node, except that pending subscribers only learn that the node
// was deleted.
func (e *Engine) notify(ctx context.Context, r sender, n *Node, content string) {
	e.deliver(ctx, r, n, []*stanza.Stanza{event(r.service, n, content)}, Subscribed)
}

// notices are notifications of one node that are sent together: who gets them is found out once.
type notices struct {
	engine *Engine
	sender sender
	node   *Node
	list   []*stanza.Stanza
}

// add adds a notification. Those of another node are sent before.
func (t *notices) add(ctx context.Context, r sender, n *Node, content string) {
	if t.node != n {
		t.send(ctx)
	}
	t.sender, t.node = r, n
	t.list = append(t.list, event(r.service, n, content))
}

// send sends what was added.
func (t *notices) send(ctx context.Context) {
	if len(t.list) > 0 {
		t.engine.deliver(ctx, t.sender, t.node, t.list, Subscribed)
	}
	t.list = nil
}

// sender is the service that sends notifications, and how.
type sender struct {
	service jid.JID
	route   func(*stanza.Stanza)
	each    func([]*stanza.Stanza, []stanza.Receiver) // may be nil
}

func (r *Request) sender() sender { return sender{r.Service, r.Route, r.RouteToEach} }

// routeToEach sends stanzas without a receiver to several.
func (s sender) routeToEach(list []*stanza.Stanza, to []stanza.Receiver) {
	if s.each == nil {
		stanza.SendEach(s.route, list, to)
		return
	}
	s.each(list, to)
}

// deliver sends notifications to the implicit subscribers of a node, and to the explicit ones in one of the states.
func (e *Engine) deliver(ctx context.Context, r sender, n *Node, list []*stanza.Stanza, states ...State) {
	var reached map[jid.JID]bool // bare, if there are others that could be the same
	if e.Accounts {
		if len(n.Subscriptions) > 0 {
			reached = map[jid.JID]bool{}
		}
		var to []stanza.Receiver
		err := e.Host.Implicit(ctx, r.service, n, func(session stanza.Receiver) {
			if reached != nil {
				reached[session.JID.Bare()] = true
			}
			to = append(to, session)
		})
		r.routeToEach(list, to)
		if err != nil {
			e.Log.Error("contacts not notified", "service", r.service, "node", n.Name, "err", err)
		}
	}
	for i := range n.Subscriptions {
		s := &n.Subscriptions[i]
		if s.Mute || reached[s.JID.Bare()] || !inStates(s.State, states) || !e.entitled(ctx, r.service, n, s) || n.Config.Available && e.Available != nil && !e.Available(s.JID) {
			continue
		}
		for _, st := range list {
			r.route(st.WithTo(s.JID))
		}
	}
}

func inStates(s State, states []State) bool {
	for _, o := range states {
		if s == o {
			return true
		}
	}
	return false
}

// entitled reports whether a subscriber may still see the node: an account may have blocked it, or have ended its
// presence subscription.
func (e *Engine) entitled(ctx context.Context, service jid.JID, n *Node, s *Subscription) bool {
	rel, err := e.relation(ctx, service, n, s.JID)
	if err != nil {
		e.Log.Error("subscriber not notified", "service", service, "node", n.Name, "err", err)
		return false
	}
	return !rel.Blocked && n.admits(affiliation(service, n, s.JID), true, rel) == nil
}

// Last sends the last item of a node to one session, if there is one (XEP-0060 §6.1.7).
func (e *Engine) Last(ctx context.Context, service jid.JID, n *Node, to jid.JID, route func(*stanza.Stanza)) error {
	page, err := e.Store.Items(ctx, service, e.newest(n, 1))
	if err != nil || len(page.Items) == 0 {
		return err
	}
	st := event(service, n, string(appendItems(nil, service, n, page.Items, true)))
	st.To = to
	route(st.With(message.Delay(service, page.Items[0].At))) // XEP-0060 §6.1.7
	return nil
}

// Receiver is a session that gets notifications of a service.
type Receiver struct {
	Service, To jid.JID
	Route       func(*stanza.Stanza)
}

// SendLast sends a session the last items of the nodes that it wants and whose items are sent when somebody becomes
// available. It waits for the mailbox of the service, so that no newer item has been sent before.
func (e *Engine) SendLast(ctx context.Context, to Receiver, wants func(n *Node) bool) error {
	nodes, err := e.Host.Nodes(ctx, to.Service)
	if err != nil {
		return err
	}
	var wanted []*Node
	for _, n := range nodes.All() {
		if n.Config.SendLast == onPresence && n.Config.Persist && n.Config.Notifications && wants(n) {
			wanted = append(wanted, n)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	return e.inOrder(ctx, to.Service, func() error {
		for _, n := range wanted {
			if err := e.Last(ctx, to.Service, n, to.To, to.Route); err != nil {
				return err
			}
		}
		return nil
	})
}
