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

// Arrived is for presence.OnArrival: it gives the session what was kept (RFC 6121 §8.5.2.2).
func (o *Offline) Arrived(ctx context.Context, p *router.Pass) error {
	return o.collect(ctx, p.Account, true)
}

// collect gives what an account has to one of its sessions, and deletes it. Where that is
// under way already, it is done once more afterwards. wait is whether to wait for the client.
func (o *Offline) collect(ctx context.Context, a *router.Account, wait bool) error {
	e, err := o.of(ctx, a)
	if err != nil {
		return err
	}
	if !e.start() {
		return nil
	}
	for {
		err := o.deliver(ctx, a, wait)
		if err != nil {
			e.stop()
			o.noteFailed(a)
			if errors.Is(err, errBehind) {
				return nil
			}
			return err
		}
		if !e.again(func() { o.serve(a) }) {
			return nil
		}
	}
}

// errBehind ends a collection for a client that has not read what it was given.
var errBehind = errors.New("the client is behind")

// serve marks the account's sessions: from now on they get at once what comes.
func (o *Offline) serve(a *router.Account) {
	for _, s := range a.Sessions() {
		if takes(s) {
			s.Set(o.served, true)
		}
	}
}

// noteFailed has Retry take up a collection that is not complete. What comes meanwhile goes
// on waiting behind what is left, see hold.
func (o *Offline) noteFailed(a *router.Account) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failed[a] = struct{}{}
}

// Retry collects for the accounts that did not get all they should have; it is called about once
// a second.
func (o *Offline) Retry(ctx context.Context) {
	o.mu.Lock()
	failed := slices.Collect(maps.Keys(o.failed))
	clear(o.failed)
	o.mu.Unlock()
	for _, a := range failed {
		if taker(a) != nil {
			_ = o.collect(ctx, a, false) // what fails again is noted again
		}
	}
}

// page is how many messages are in memory at a time.
const page = 100

// deliver gives the messages away page by page, no faster than the client reads: all of them
// at once could be more than its queue holds, and they would be lost with it.
func (o *Offline) deliver(ctx context.Context, a *router.Account, wait bool) error {
	account := a.JID()
	for ready := true; ready; {
		list, err := o.store.OfflineMessages(ctx, account, page)
		if err != nil {
			return fmt.Errorf("collect messages of %s: %w", account, err)
		}
		to := taker(a)
		if to == nil || len(list) == 0 {
			return nil
		}
		var ids []string
		size := int64(0)
		for _, m := range list {
			ids = append(ids, m.ID)
			size += int64(len(m.Stanza.Payload) + len(m.Stanza.Extra))
			to.Session().Deliver(o.stamped(m))
			if ready = keepsUp(ctx, to, wait); !ready {
				break
			}
		}
		to.Session().Flush()
		// Whoever collects next reads after this.
		if err := o.store.DeleteOffline(ctx, account, ids); err != nil {
			o.log.Error("delivered messages not deleted: they will come again", "account", account, "err", err)
			return nil
		}
		o.release(a, len(ids), size)
		if ready && len(ids) < page {
			return nil
		}
	}
	return errBehind
}

// keepsUp reports whether a client can be given more; wait lets it read first.
func keepsUp(ctx context.Context, to *router.Bound, wait bool) bool {
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

// clean takes out a delay that claims to be ours, before anything is delivered or kept.
func (o *Offline) clean(_ context.Context, p *router.Pass) error {
	if p.Stanza.Kind == stanza.Message {
		p.Stanza = message.WithoutDelay(p.Stanza, o.host.Domain())
	}
	return nil
}

// stamped is the message with when it came (XEP-0203); one that had been delivered to a
// session which never saw it has the stamp already.
func (o *Offline) stamped(m Message) *stanza.Stanza {
	if message.DelayedBy(m.Stanza, o.host.Domain()) {
		return m.Stanza
	}
	return m.Stanza.With(message.Delay(o.host.Domain(), m.Received))
}
