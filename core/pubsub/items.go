package pubsub

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Limits of an answer.
const (
	maxRequested = 100       // ids in one request
	maxAnswer    = 512 << 10 // bytes of payloads; a longer answer is cut and says so (XEP-0060 §6.5.4)
)

// newest is the query for the last items of a node.
func (e *Engine) newest(n *Node, count int) Query {
	return Query{Node: n.Name, Page: paging.Request{Max: count, Last: true, Index: -1}, After: n.expired(), Bytes: maxAnswer, Uncounted: true}
}

// expired returns the time before which the node's items have expired; zero if they do not expire.
func (n *Node) expired() time.Time {
	if n.Config.Expire == Max {
		return time.Time{}
	}
	return time.Now().Add(-time.Duration(n.Config.Expire) * time.Second)
}

// items answers a request for items (XEP-0060 §6.5).
func (e *Engine) items(ctx context.Context, r *Request, x *stanza.Element) (answer, error) {
	n, err := e.node(ctx, r, x.Attr("node"))
	if err != nil {
		return "", err
	}
	if err := e.mayRead(ctx, r.Service, n, r.Stanza.From); err != nil {
		return "", err
	}
	if !n.Config.Persist {
		return "", unsupported("persistent-items") // XEP-0060 §6.5.9.4
	}
	if id := x.Attr("subid"); id != "" && !n.hasSubscription(r.Stanza.From, id) {
		return "", with(stanza.NotAcceptable(""), "invalid-subid") // XEP-0060 §6.5.9.2
	}
	q, paged, err := e.query(n, r.Payload, x)
	if err != nil {
		return "", err
	}
	page, err := e.Store.Items(ctx, r.Service, q)
	if err != nil {
		return "", err
	}
	dst := []byte("<pubsub xmlns='" + NS + "'>")
	dst = appendItems(dst, r.Service, n, page.Items, false)
	if q.IDs == nil && (paged || len(page.Items) < page.Count && x.Attr("max_items") == "") {
		dst = page.answer().Element().Append(dst, NS)
	}
	return string(append(dst, "</pubsub>"...)), nil
}

// query reads what a request asks for.
func (e *Engine) query(n *Node, payload, x *stanza.Element) (q Query, paged bool, err error) {
	limits := e.Limits()
	q = Query{Node: n.Name, After: n.expired(), Bytes: maxAnswer}
	for i := range x.Named(NS, "item") {
		id := i.Attr("id")
		if id == "" || len(id) > MaxName || len(q.IDs) == maxRequested {
			return q, false, stanza.BadRequest("")
		}
		q.IDs = append(q.IDs, id)
	}
	q.Page, paged, err = paging.Parse(payload)
	if err != nil {
		return q, false, err
	}
	q.Page = q.Page.Limit(limits.Items, limits.Items)
	if text := x.Attr("max_items"); text != "" { // XEP-0060 §6.5.7: the most recent ones
		count, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31)
		if err != nil || count == 0 {
			return q, false, stanza.BadRequest("max_items is not a positive number")
		}
		if !paged {
			q.Page = paging.Request{Max: min(int(count), limits.Items), Last: true, Index: -1}
		}
	}
	return q, paged, nil
}

// answer describes the page (XEP-0059).
func (p *Page) answer() *paging.Answer {
	a := &paging.Answer{Index: paging.Unknown, Count: p.Count}
	if len(p.Items) > 0 {
		a.First, a.Last, a.Index = p.Items[0].ID, p.Items[len(p.Items)-1].ID, p.Index
	}
	return a
}

// hasSubscription reports whether an entity has a subscription with that id.
func (n *Node) hasSubscription(entity jid.JID, id string) bool {
	for i := range n.Subscriptions {
		if s := &n.Subscriptions[i]; s.ID == id && s.JID.Bare() == entity.Bare() {
			return true
		}
	}
	return false
}
