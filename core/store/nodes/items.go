package nodes

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

// The conversions of types keep SQLite from compiling a statement again for each execution: its planner takes a value into account that is
// compared with the column of a partial index's condition, or that limits rows.
const (
	itemSQL     = `SELECT item, publisher, published, size, payload FROM pubsub_items WHERE service = ? AND node = CAST(? AS text) AND item = ? AND published >= ?`
	countSQL    = `SELECT count(*) FROM pubsub_items WHERE service = ? AND node = CAST(? AS text) AND published >= ?`
	positionSQL = `SELECT position FROM pubsub_items WHERE service = ? AND node = CAST(? AS text) AND item = ? AND published >= ?`
	beforeSQL   = `SELECT count(*) FROM pubsub_items WHERE service = ? AND node = CAST(? AS text) AND published >= ? AND position < ?`

	// The payload is only read where it is wanted; positions are those around the page.
	columnsSQL = `SELECT item, publisher, published, size, CASE WHEN ? THEN payload ELSE '' END, position FROM pubsub_items
WHERE service = ? AND node = CAST(? AS text) AND published >= ? AND position > ? AND position < ?`
	forwardSQL  = columnsSQL + ` ORDER BY position LIMIT CAST(? AS bigint) OFFSET CAST(? AS bigint)`
	backwardSQL = columnsSQL + ` ORDER BY position DESC LIMIT CAST(? AS bigint) OFFSET CAST(? AS bigint)`
)

// noPosition is larger than all positions.
const noPosition = 1 << 62

// Items implements pubsub.Store.
func (s *Nodes) Items(ctx context.Context, service jid.JID, q pubsub.Query) (pubsub.Page, error) {
	r := reader{context.WithoutCancel(ctx), s.store.Reader(), service.String(), q, 0}
	if !q.After.IsZero() {
		r.since = q.After.UnixMicro()
	}
	page, err := r.page()
	if err != nil {
		return pubsub.Page{}, fmt.Errorf("read items of %s at %s: %w", q.Node, service, err)
	}
	return page, nil
}

// reader reads the items of one query.
type reader struct {
	ctx     context.Context
	db      *sql.DB
	service string
	pubsub.Query
	since int64
}

func (r *reader) page() (pubsub.Page, error) {
	p := pubsub.Page{Index: paging.Unknown}
	if !r.Uncounted {
		if err := r.db.QueryRowContext(r.ctx, countSQL, r.service, r.Node, r.since).Scan(&p.Count); err != nil {
			return p, err
		}
	}
	if r.IDs != nil {
		return p, r.byID(&p)
	}
	if r.Page.Max == 0 {
		return p, nil
	}
	return p, r.between(&p)
}

// byID reads the items with the wanted ids that exist.
func (r *reader) byID(p *pubsub.Page) error {
	size := 0
	for _, id := range r.IDs {
		row, err := scanItem(r.db.QueryRowContext(r.ctx, itemSQL, r.service, r.Node, id, r.since))
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return err
		}
		if size += len(row.Payload); size > r.Bytes && len(p.Items) > 0 {
			return nil
		}
		p.Items = append(p.Items, row)
	}
	return nil
}

func scanItem(row scan.Row, more ...any) (pubsub.Item, error) {
	var i pubsub.Item
	var publisher string
	var published, size int64
	if err := row.Scan(append([]any{&i.ID, &publisher, &published, &size, &i.Payload}, more...)...); err != nil {
		return i, err
	}
	i.At = timeOf(published)
	var err error
	i.Publisher, err = jid.Parse(publisher)
	return i, err
}

// position returns the position of an item that a request names.
func (r *reader) position(id string, none int64) (int64, error) {
	if id == "" {
		return none, nil
	}
	var at int64
	err := r.db.QueryRowContext(r.ctx, positionSQL, r.service, r.Node, id, r.since).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, stanza.ItemNotFound("The item to go on from is not there any longer.") // XEP-0059 §2.4
	}
	return at, err
}

// between reads a page (XEP-0059).
func (r *reader) between(p *pubsub.Page) error {
	after, err := r.position(r.Page.After, 0)
	if err != nil {
		return err
	}
	before, err := r.position(r.Page.Before, noPosition)
	if err != nil {
		return err
	}
	backward, query := r.Page.Backwards(), forwardSQL
	if backward {
		query = backwardSQL
	}
	size, first := 0, int64(0)
	rows, err := r.db.QueryContext(r.ctx, query, r.Bytes != pubsub.NoPayload, r.service, r.Node, r.since, after, before, r.Page.Max, max(r.Page.Index, 0))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var position int64
		item, err := scanItem(rows, &position)
		if err != nil {
			return err
		}
		if size += len(item.Payload); r.Bytes != pubsub.NoPayload && size > r.Bytes && len(p.Items) > 0 {
			break
		}
		p.Items = append(p.Items, item)
		if backward || first == 0 {
			first = position
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	if backward {
		slices.Reverse(p.Items)
	}
	if !r.Uncounted && first > 0 {
		return r.db.QueryRowContext(r.ctx, beforeSQL, r.service, r.Node, r.since, first).Scan(&p.Index)
	}
	return nil
}
