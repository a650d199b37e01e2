package offline

import (
	"context"
	"fmt"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Archived sets a function that returns those of some messages that an account's archive has, by id. Call it before the host is attached.
func (o *Offline) Archived(has func(ctx context.Context, account jid.JID, ids []string) ([]string, error)) {
	o.archived = has
}

// clear deletes the stored messages that the archive has too: a client that binds its session by XEP-0386 reads the archive (§4.2). Others,
// such as those that the preferences of the archive leave out, are delivered as ever. After an error all of them are.
func (o *Offline) clear(ctx context.Context, b *router.Bound) *stanza.Element {
	a := b.Account()
	if o.archived == nil || receiver(a) != nil { // that one gets them
		return nil
	}
	e, err := o.of(ctx, a)
	if err == nil && e.start() {
		err = o.clearPages(ctx, b, e)
		if e.again(func() {}) { // meanwhile another session has arrived
			e.stop()
			o.noteFailed(a)
		}
	}
	if err != nil && ctx.Err() == nil && !stanza.Temporary(err) { // the store logs those
		o.log.Error("stored messages not cleared", "account", a.JID(), "err", err)
	}
	return nil
}

// clearPages deletes the messages for a session that gets them from the archive.
func (o *Offline) clearPages(ctx context.Context, b *router.Bound, e *account) error {
	account, after := b.Account().JID(), int64(0)
	for {
		e.beforeRead()
		list, err := o.store.OfflineMessages(ctx, account, after, pageSize)
		if err != nil {
			return fmt.Errorf("read stored messages of %s: %w", account, err)
		}
		if len(list) == 0 {
			return nil
		}
		byID, ids := map[string]Message{}, make([]string, 0, len(list))
		for _, m := range list {
			if after = m.Position; m.Stanza != nil {
				byID[m.ID], ids = m, append(ids, m.ID)
			}
		}
		if ids, err = o.archived(ctx, account, ids); err != nil {
			return err
		}
		var given []Message
		for _, id := range ids {
			if e.give(id, b) {
				given = append(given, byID[id])
			}
		}
		o.delete(b.Account(), e, b, given)
		if len(list) < pageSize {
			return nil
		}
	}
}
