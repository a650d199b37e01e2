package portable

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/moderation"
)

// pageSize is the number of messages that are read at once, and pageBytes about their size.
const (
	pageSize  = 500
	pageBytes = 4 << 20
)

// Export reads an account. A server may use the store at the same time: each kind of record is read as it is then.
func Export(ctx context.Context, s *store.Store, account jid.JID) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		e := exporter{store: s, account: account, yield: yield}
		for _, part := range []func(context.Context) error{e.accountAndKeys, e.roster, e.elements, e.nodes, e.archivePrefs, e.offline, e.archive} {
			if err := part(ctx); err != nil {
				if !e.stopped {
					yield(Record{}, fmt.Errorf("export %s: %w", account, err))
				}
				return
			}
			if e.stopped {
				return
			}
		}
	}
}

// exporter passes the records of one account to yield until it does not want more.
type exporter struct {
	store   *store.Store
	account jid.JID
	yield   func(Record, error) bool
	stopped bool
}

func (e *exporter) record(r Record) bool {
	r.Account = e.account
	if !e.stopped {
		e.stopped = !e.yield(r, nil)
	}
	return !e.stopped
}

func (e *exporter) accountAndKeys(ctx context.Context) error {
	a, err := e.store.Account(ctx, e.account)
	if err != nil {
		return err
	}
	c, err := e.store.Credentials(ctx, e.account)
	if err != nil {
		return err
	}
	barred := a.State().MayLogIn(time.Now()) != nil
	e.record(Record{Made: &Made{Created: a.Created, Barred: barred}})
	if barred {
		return nil // no format has the state of an account: with its keys it could log in where it is imported
	}
	for h := range c.Keys {
		if k := c.Keys[h]; k.Set() {
			e.record(Record{Key: &Key{sasl.Hash(h), k}})
		}
	}
	return nil
}

func (e *exporter) roster(ctx context.Context) error {
	items, _, err := e.store.Roster(ctx, e.account, "")
	if err != nil {
		return err
	}
	for i := range items {
		e.record(Record{Contact: &items[i]})
	}
	requests, err := e.store.RosterRequests(ctx, e.account)
	if err != nil {
		return err
	}
	for _, st := range requests {
		e.record(Record{Request: st})
	}
	return nil
}

// elements reads what is stored as elements, and the blocked addresses.
func (e *exporter) elements(ctx context.Context) error {
	vcard, err := e.store.VCard(ctx, e.account)
	if err != nil {
		return err
	}
	if vcard != "" {
		x, err := stanza.ParseElement(vcard, nsVCard)
		if err != nil {
			return fmt.Errorf("read vCard: %w", err)
		}
		e.record(Record{VCard: x})
	}
	private, err := e.store.PrivateItems(ctx, e.account)
	if err != nil {
		return err
	}
	for _, i := range private {
		x, err := stanza.ParseElement(i.XML, "")
		if err != nil {
			return fmt.Errorf("read private XML: %w", err)
		}
		e.record(Record{Private: x})
	}
	blocked, err := moderation.New(e.store, slog.New(slog.DiscardHandler)).Blocked(ctx, e.account)
	for _, j := range blocked {
		e.record(Record{Blocked: j})
	}
	return err
}

func (e *exporter) archivePrefs(ctx context.Context) error {
	p, err := e.store.Prefs(ctx, e.account)
	if err == nil && (p.Default != "" || len(p.Always)+len(p.Never) > 0) {
		e.record(Record{Preferences: &p})
	}
	return err
}

func (e *exporter) offline(ctx context.Context) error {
	for after := int64(0); !e.stopped; {
		list, err := e.store.OfflineMessages(ctx, e.account, after, pageSize)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, m := range list {
			if after = m.Position; m.Stanza != nil {
				e.record(Record{Offline: &Message{ID: m.ID, At: m.Received, Stanza: m.Stanza}})
			}
		}
	}
	return nil
}

func (e *exporter) archive(ctx context.Context) error {
	for after := ""; !e.stopped; {
		r, err := e.store.Query(ctx, e.account, archive.Filter{}, archive.Page{Max: pageSize, Bytes: pageBytes, After: after})
		if err != nil {
			return err
		}
		for _, entry := range r.Entries {
			if after = entry.ID; entry.Stanza != nil {
				e.record(Record{Archived: &Message{ID: entry.ID, At: entry.At, Stanza: entry.Stanza}})
			}
		}
		if r.Complete || len(r.Entries) == 0 {
			return nil
		}
	}
	return nil
}
