package pubsub

import (
	"context"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// MaxTogether is how many publications one transaction stores.
const MaxTogether = 100

// Publishes reports whether a request publishes an item: such requests can be handled together.
func Publishes(st *stanza.Stanza) bool {
	if st.Kind != stanza.IQ || st.Type != stanza.TypeSet {
		return false
	}
	pubsub := st.FirstChild()
	if pubsub == nil || pubsub.Space != NS {
		return false
	}
	action := subject(pubsub)
	return action != nil && action.Local == "publish"
}

// PublishAll handles requests to publish at one service, in their order, as Handle does: one transaction stores as many items as possible.
// answered is called once for each request, by its index, with what Handle returns.
func (e *Engine) PublishAll(ctx context.Context, list []*Request, answered func(i int, xml string, err error)) {
	done := 0
	next := func(xml string, err error) {
		done++
		answered(done-1, xml, err)
	}
	err := e.inOrder(ctx, list[0].Service, func() error {
		e.publishAll(ctx, list, next)
		return nil
	})
	for done < len(list) { // only after an error
		next("", err)
	}
}

// publishAll is PublishAll in the mailbox of the service. next gets the outcomes in the order of the requests.
func (e *Engine) publishAll(ctx context.Context, list []*Request, next func(xml string, err error)) {
	var waiting []publication
	flush := func() {
		e.storeAll(ctx, waiting, next)
		waiting = waiting[:0]
	}
	for _, r := range list {
		x := subject(r.Payload)
		p, err := e.publication(ctx, r, x)
		if err == nil && !p.alone() {
			waiting = append(waiting, p)
			continue
		}
		if len(waiting) > 0 {
			flush()
			p, err = e.publication(ctx, r, x) // those before it may have changed what it depends on
		}
		if err != nil {
			next("", err)
			continue
		}
		e.storeAll(ctx, []publication{p}, next)
	}
	flush()
}

// alone reports whether a publication depends on what others have stored.
func (p *publication) alone() bool { return p.creates() || p.node.Config.Full == rejectNew }

// storeAll stores publications in one transaction. If that is not possible, each has its own: one that is refused changes nothing for the
// others.
func (e *Engine) storeAll(ctx context.Context, list []publication, next func(xml string, err error)) {
	err := e.store(ctx, list...)
	if err != nil && len(list) > 1 {
		for i := range list {
			p := list[i]
			p.changes = nil
			e.storeAll(ctx, []publication{p}, next)
		}
		return
	}
	for i := range list {
		if err != nil {
			next("", err)
			continue
		}
		next(list[i].answer(), nil)
	}
}
