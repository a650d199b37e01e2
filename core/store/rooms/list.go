package rooms

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/core/features/conference"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

const (
	rowsSQL    = `SELECT room, name, creator, created, listed, kept FROM rooms WHERE domain = ? AND (listed OR ?)`
	countSQL   = `SELECT count(*) FROM rooms WHERE domain = ? AND (listed OR ?)`
	afterSQL   = ` AND room > ?`
	beforeSQL  = ` AND room < ?`
	forwardSQL = ` ORDER BY room LIMIT ?`
	backSQL    = ` ORDER BY room DESC LIMIT ?`
)

// Rooms implements conference.Lists. An address is a position also where no room has it any longer.
func (t *Tables) Rooms(ctx context.Context, domain jid.JID, all bool, p paging.Request) (list []conference.Row, answer paging.Answer, err error) {
	answer.Index = paging.Unknown
	what := []any{domain.String(), all}
	if err := t.store.Reader().QueryRowContext(ctx, countSQL, what...).Scan(&answer.Count); err != nil {
		return nil, answer, fmt.Errorf("count rooms: %w", err)
	}
	if p.Max == 0 {
		return nil, answer, nil
	}
	query, args := rowsSQL, slices.Clone(what)
	if p.After != "" {
		query, args = query+afterSQL, append(args, p.After)
	}
	if p.Before != "" {
		query, args = query+beforeSQL, append(args, p.Before)
	}
	order := forwardSQL
	if p.Backwards() {
		order = backSQL
	}
	if list, err = scan.Rows(ctx, t.store.Reader(), scanRow, query+order, append(args, p.Max)...); err != nil {
		return nil, answer, fmt.Errorf("list rooms: %w", err)
	}
	if p.Backwards() {
		slices.Reverse(list)
	}
	if len(list) == 0 {
		return nil, answer, nil
	}
	answer.First, answer.Last = list[0].JID.String(), list[len(list)-1].JID.String()
	if err := t.store.Reader().QueryRowContext(ctx, countSQL+beforeSQL, append(what, answer.First)...).Scan(&answer.Index); err != nil {
		return nil, answer, fmt.Errorf("count rooms: %w", err)
	}
	return list, answer, nil
}

func scanRow(row scan.Row) (r conference.Row, err error) {
	var address, creator string
	var created int64
	if err := row.Scan(&address, &r.Name, &creator, &created, &r.Listed, &r.Kept); err != nil {
		return r, err
	}
	r.Created = time.UnixMicro(created).UTC()
	if creator != "" {
		if r.Creator, err = jid.Parse(creator); err != nil {
			return r, err
		}
	}
	r.JID, err = jid.Parse(address)
	return r, err
}

const createdSQL = `SELECT count(*) FROM rooms WHERE creator = ?`

// Created implements conference.Lists.
func (t *Tables) Created(ctx context.Context, by jid.JID) (n int, err error) {
	if err := t.store.Reader().QueryRowContext(ctx, createdSQL, by.String()).Scan(&n); err != nil {
		return 0, fmt.Errorf("count rooms of %s: %w", by, err)
	}
	return n, nil
}

const memberSQL = affiliatedSQL + ` AND a.affiliation IN ('owner', 'admin', 'member')` + inOrderSQL

const inOrderSQL = ` ORDER BY a.room`

const affiliatedSQL = `SELECT a.room FROM room_affiliations AS a JOIN rooms AS r ON r.room = a.room WHERE a.jid = ? AND r.domain = ?`

const wearingSQL = `SELECT h.room FROM room_hats AS h JOIN rooms AS r ON r.room = h.room WHERE h.jid = ? AND r.domain = ? ORDER BY h.room`

const (
	requestingSQL = `SELECT q.room FROM room_requests AS q JOIN rooms AS r ON r.room = q.room WHERE q.jid = ? AND r.domain = ? ORDER BY q.room`
	rememberedSQL = `SELECT DISTINCT k.room FROM room_roles AS k JOIN rooms AS r ON r.room = k.room WHERE k.jid = ? AND r.domain = ? ORDER BY k.room`
)

// Affiliated implements conference.Lists.
func (t *Tables) Affiliated(ctx context.Context, domain, who jid.JID) ([]jid.JID, error) {
	list, err := t.of(ctx, affiliatedSQL+inOrderSQL, domain, who)
	if err != nil {
		return nil, err
	}
	for _, query := range []string{wearingSQL, requestingSQL, rememberedSQL} {
		more, err := t.of(ctx, query, domain, who)
		if err != nil {
			return nil, err
		}
		for _, j := range more {
			if !slices.Contains(list, j) {
				list = append(list, j)
			}
		}
	}
	return list, nil
}

// MemberOf implements conference.Lists.
func (t *Tables) MemberOf(ctx context.Context, domain, who jid.JID) ([]jid.JID, error) {
	return t.of(ctx, memberSQL, domain, who)
}

func (t *Tables) of(ctx context.Context, query string, domain, who jid.JID) ([]jid.JID, error) {
	list, err := scan.Rows(ctx, t.store.Reader(), func(row scan.Row) (jid.JID, error) {
		var address string
		if err := row.Scan(&address); err != nil {
			return jid.JID{}, err
		}
		return jid.Parse(address)
	}, query, who.String(), domain.String())
	if err != nil {
		return nil, fmt.Errorf("list rooms of %s: %w", who, err)
	}
	return list, nil
}

const (
	leaveTemporarySQL  = `UPDATE room_archives SET room = NULL WHERE room IN (SELECT room FROM rooms WHERE domain = ? AND NOT kept)`
	deleteTemporarySQL = `DELETE FROM rooms WHERE domain = ? AND NOT kept`
)

// DeleteTemporary implements conference.Lists.
func (t *Tables) DeleteTemporary(ctx context.Context, domain jid.JID) error {
	return t.store.Partition(domain.String()).Write(ctx, func(tx *sql.Tx) error {
		for _, query := range []string{leaveTemporarySQL, deleteTemporarySQL} {
			if _, err := tx.Exec(query, domain.String()); err != nil {
				return fmt.Errorf("delete temporary rooms: %w", err)
			}
		}
		return nil
	})
}

const describedSQL = `SELECT room, info, config FROM rooms WHERE domain = ? AND listed AND room > ? ORDER BY room LIMIT ?`

// Described implements conference.Directory.
func (t *Tables) Described(ctx context.Context, domain jid.JID, after string, limit int) ([]conference.Described, error) {
	list, err := scan.Rows(ctx, t.store.Reader(), func(row scan.Row) (d conference.Described, err error) {
		var address, info, config string
		if err := row.Scan(&address, &info, &config); err != nil {
			return d, err
		}
		if d.JID, err = jid.Parse(address); err != nil {
			return d, err
		}
		return d, errors.Join(json.Unmarshal([]byte(info), &d.Info), json.Unmarshal([]byte(config), &d.Config))
	}, describedSQL, domain.String(), after, limit)
	if err != nil {
		return nil, fmt.Errorf("describe rooms: %w", err)
	}
	return list, nil
}
