package offline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Arrived delivers the stored messages to a session that has become available (RFC 6121 §8.5.2.2). It is a
// presence.Arrival.
func (o *Offline) Arrived(ctx context.Context, p *router.Pass) error {
	return o.deliverStored(ctx, p.Account, true)
}

// deliverStored delivers an account's stored messages to one of its sessions; they are deleted when its socket has
// taken them. If a delivery is running already, that one reads the store once more. wait says whether to wait for a slow
// client.
func (o *Offline) deliverStored(ctx context.Context, a *router.Account, wait bool) error {
	e, err := o.of(ctx, a)
	if err != nil {
		return err
	}
	if !e.start() {
		return nil
	}
	for {
		err := o.deliverPages(ctx, a, e, wait)
		if err != nil {
			e.stop()
			o.noteFailed(a)
			if errors.Is(err, errQueueFull) {
				return nil
			}
			return err
		}
		if !e.again(func() { o.markServed(a) }) {
			return nil
		}
	}
}

// errQueueFull ends a delivery to a client that does not read.
var errQueueFull = errors.New("the client's queue is nearly full")

// markServed sets the flag served on the account's sessions: from now on they get new messages at once.
func (o *Offline) markServed(a *router.Account) {
	for _, s := range a.Sessions() {
		if receivesMessages(s) {
			s.Set(o.served, true)
		}
	}
}

// noteFailed makes Retry repeat an incomplete delivery to an account. Until then new messages are stored behind the
// remaining ones; see hold.
func (o *Offline) noteFailed(a *router.Account) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failed[a] = struct{}{}
}

// Retry repeats the deliveries that were incomplete and the deletions that have failed. The server calls it about once a
// second.
func (o *Offline) Retry(ctx context.Context) {
	o.mu.Lock()
	failed, undeleted := slices.Collect(maps.Keys(o.failed)), o.undeleted
	clear(o.failed)
	o.undeleted = nil
	o.mu.Unlock()
	for _, d := range undeleted {
		o.deleteAll(d)
	}
	for _, a := range failed {
		if receiver(a) != nil {
			_ = o.deliverStored(ctx, a, false) // a failed delivery is noted again
		}
	}
}

// pageSize is the number of messages read at a time.
const pageSize = 100

// deliverPages delivers the messages page by page, no faster than the client reads: all of them at once
// might not fit into the client's queue, which would disconnect it.
func (o *Offline) deliverPages(ctx context.Context, a *router.Account, e *account, wait bool) error {
	account, after := a.JID(), int64(0)
	for ready := true; ready; {
		e.beforeRead()
		list, err := o.store.OfflineMessages(ctx, account, after, pageSize)
		if err != nil {
			return fmt.Errorf("read stored messages of %s: %w", account, err)
		}
		to := receiver(a)
		if to == nil || len(list) == 0 {
			return nil
		}
		var given, unreadable []Message
		for _, m := range list {
			after = m.Position
			if m.Stanza == nil {
				unreadable = append(unreadable, m)
				continue
			}
			refused, err := o.refused(ctx, a, m)
			if err != nil {
				return err
			}
			if !e.give(m.ID, to) {
				continue
			}
			given = append(given, m)
			if refused || o.has(to, m.ID) {
				continue
			}
			to.Session().Deliver(o.withDelay(m))
			if ready = canTakeMore(ctx, to, wait); !ready {
				break
			}
		}
		to.Session().Flush()
		o.deleteTaken(a, e, to, given)
		o.deleteAll(deletion{of: a, state: e, list: unreadable}) // nobody will ever get them
		if ready && len(list) < pageSize {
			return nil
		}
	}
	return errQueueFull
}

// canTakeMore reports whether a client's queue has room; wait lets the client read first.
func canTakeMore(ctx context.Context, to *router.Bound, wait bool) bool {
	p, ok := to.Session().(router.QueueWaiter)
	if !ok || !p.QueueNearlyFull() {
		return true
	}
	to.Session().Flush()
	if wait {
		p.WaitForClient(ctx)
	}
	return !p.QueueNearlyFull()
}

// removeForgedDelay removes a delay in the name of this host or of the receiver, which only the server may add (XEP-0203,
// XEP-0091). From what an account sends, too: its receivers elsewhere know this server as the one that delays.
func (o *Offline) removeForgedDelay(_ context.Context, p *router.Pass) error {
	switch p.Stanza.Kind {
	case stanza.IQ:
		return nil
	case stanza.Presence:
		if p.Session == nil && p.Stanza.From.Domain() == o.host.Domain().Domain() {
			return nil // made by this server, which adds the delay of the last presence
		}
	}
	p.Stanza = message.WithoutForgedDelay(p.Stanza, o.host.Domain(), p.Stanza.To.Bare())
	return nil
}

// hasNoDelay implements router.Stage.Skip.
func hasNoDelay(st *stanza.Stanza) bool { return st.Kind == stanza.IQ || !message.MayHaveDelay(st) }

// withDelay adds the time of arrival (XEP-0203). A message that was stored again after its session had
// ended has it already.
func (o *Offline) withDelay(m Message) *stanza.Stanza {
	if message.DelayedBy(m.Stanza, o.host.Domain()) {
		return m.Stanza
	}
	return m.Stanza.With(message.Delay(o.host.Domain(), m.Received))
}
