package pep

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// group has requests of one session to publish at its own account that came together: one commit stores the items of all.
type group struct {
	pep      *PEP
	service  jid.JID
	requests []*pubsub.Request
	sent     []*router.IQ // by the index of requests
}

// gather adds a request to the group of those that came with it. If it returns false, the group has been handled, and the request is still to be.
func (p *PEP) gather(q *router.IQ, r *pubsub.Request) bool {
	if !q.Own() || !pubsub.Publishes(q.Stanza) {
		q.RunGroup()
		return false
	}
	g, joins := q.Group().(*group)
	if !joins {
		q.RunGroup()
		g = &group{pep: p, service: r.Service}
	}
	if !q.Gather(g) {
		return false
	}
	g.sent = append(g.sent, q)
	if g.requests = append(g.requests, r); len(g.requests) >= pubsub.MaxTogether {
		q.RunGroup()
	}
	return true
}

// Takes implements router.Group.
func (g *group) Takes(st *stanza.Stanza) bool {
	return (st.To.IsZero() || st.To == g.service) && pubsub.Publishes(st)
}

// Run implements router.Group.
func (g *group) Run(ctx context.Context) {
	g.pep.engine.PublishAll(ctx, g.requests, func(i int, xml string, err error) {
		q := g.sent[i]
		if err != nil {
			q.Refuse(err)
			return
		}
		q.Route(result(q.Stanza, xml))
	})
}
