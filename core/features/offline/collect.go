package offline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Arrived is for presence.OnArrival: it gives the session what was kept (RFC 6121 §8.5.2.2).
func (o *Offline) Arrived(ctx context.Context, p *router.Pass) error {
	return o.collect(ctx, p.Account, true)
}

// Collect gives what an account has to one of its sessions, and deletes it. Where that is
// under way already, it is done once more afterwards. It does not wait for the client.
func (o *Offline) Collect(ctx context.Context, account jid.JID) error {
	return o.collect(ctx, account, false)
}

func (o *Offline) collect(ctx context.Context, account jid.JID, wait bool) error {
	if !o.start(account) {
		return nil
	}
	for {
		err := o.deliver(ctx, account, wait)
		if err != nil {
			o.fail(account)
			if errors.Is(err, errBehind) {
				return nil
			}
			return err
		}
		if !o.again(account) {
			return nil
		}
	}
}

// errBehind ends a collection for a client that has not read what it was given.
var errBehind = errors.New("the client is behind")

// fail ends a collection that is not complete; Retry takes it up. What comes meanwhile goes
// on waiting behind what is left, see Turn.
func (o *Offline) fail(account jid.JID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.collecting, account)
	o.failed[account] = true
}

// Retry collects for the accounts that did not get all they should have; it is called every
// now and then.
func (o *Offline) Retry(ctx context.Context) {
	o.mu.Lock()
	failed := slices.Collect(maps.Keys(o.failed))
	clear(o.failed)
	o.mu.Unlock()
	for _, account := range failed {
		if o.anyone(account) {
			_ = o.Collect(ctx, account) // what fails again is noted again
		}
	}
}

// Forget drops what is remembered of an account that has been deleted.
func (o *Offline) Forget(account jid.JID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.usage, account)
	delete(o.failed, account)
}

func (o *Offline) start(account jid.JID) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, running := o.collecting[account]; running {
		o.collecting[account] = true
		return false
	}
	o.collecting[account] = false
	return true
}

func (o *Offline) again(account jid.JID) bool {
	o.turns.Lock()
	defer o.turns.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.collecting[account] {
		o.collecting[account] = false
		return true
	}
	o.endLocked(account)
	return false
}

// endLocked ends a collection: from now on the account's sessions get what comes at once.
func (o *Offline) endLocked(account jid.JID) {
	delete(o.collecting, account)
	for _, s := range o.host.Sessions(account) {
		if takes(s) {
			s.SetValue(served{}, true)
		}
	}
}

// page is how many messages are in memory at a time.
const page = 100

// deliver gives the messages away page by page, no faster than the client reads: all of them
// at once could be more than its queue holds, and they would be lost with it.
func (o *Offline) deliver(ctx context.Context, account jid.JID, wait bool) error {
	for ready := true; ready; {
		list, err := o.store.OfflineMessages(ctx, account, page)
		if err != nil {
			return fmt.Errorf("collect messages of %s: %w", account, err)
		}
		to := o.taker(account)
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
		o.release(account, len(ids), size)
		if ready && len(ids) < page {
			return nil
		}
	}
	return errBehind
}

// keepsUp tells whether a client can be given more; wait lets it read first.
func keepsUp(ctx context.Context, to *router.Bound, wait bool) bool {
	p, ok := to.Session().(router.Patient)
	if !ok || !p.Behind() {
		return true
	}
	to.Session().Flush()
	if wait {
		p.CatchUp(ctx)
	}
	return !p.Behind()
}

// unstamp takes off a stamp that claims to be ours, before anything is delivered or kept.
func (o *Offline) unstamp(_ context.Context, p *router.Pass) error {
	if p.Stanza.Kind == stanza.Message && p.Stanza.MayHave(nsDelay, "delay") {
		p.Stanza = p.Stanza.Without(o.ours)
	}
	return nil
}

func (o *Offline) ours(e *stanza.Element) bool {
	if !e.Is(nsDelay, "delay") {
		return false
	}
	from, err := jid.Parse(e.Attr("from"))
	return err == nil && from == o.host.Domain()
}

// stamped is the message with when it came (XEP-0203); one that had been delivered to a
// session which never saw it has the stamp already.
func (o *Offline) stamped(m Message) *stanza.Stanza {
	for e := range m.Stanza.Tree().Elements() {
		if o.ours(e) {
			return m.Stanza
		}
	}
	stamp := stanza.NewElement(nsDelay, "delay").
		With("from", o.host.Domain().String()).With("stamp", m.Received.UTC().Format("2006-01-02T15:04:05.000Z"))
	return m.Stanza.With(stamp)
}
