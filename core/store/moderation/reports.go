package moderation

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/features/abuse"
	"github.com/dragoman-im/dragoman/core/features/blocking"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

const (
	reportDay  = 24 * time.Hour      // for which limits.reports is meant
	reportKept = 90 * 24 * time.Hour // reports that are older are deleted
)

const (
	oldReportsSQL   = `DELETE FROM reports WHERE account = ? AND at < ?`
	countReportsSQL = `SELECT count(*) FROM reports WHERE account = ? AND at > ?`
	addReportSQL    = `INSERT INTO reports (id, host, account, at, reported, reason, comment, stanza_ids, to_origin, third_party)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
)

// addReports adds as many reports as the account may make in a day. Its row is locked.
func (t *Tables) addReports(tx *sql.Tx, account jid.JID, reports []blocking.Report) (kept int, err error) {
	if len(reports) == 0 {
		return 0, nil
	}
	now := time.Now()
	if _, err := tx.Exec(oldReportsSQL, account.String(), now.Add(-reportKept).UnixMicro()); err != nil {
		return 0, fmt.Errorf("delete old reports of %s: %w", account, err)
	}
	var n int
	if err := tx.QueryRow(countReportsSQL, account.String(), now.Add(-reportDay).UnixMicro()).Scan(&n); err != nil {
		return 0, fmt.Errorf("count reports of %s: %w", account, err)
	}
	for _, r := range reports {
		if n+kept >= t.store.Limits().Reports {
			break
		}
		_, err := tx.Exec(addReportSQL, stanza.NewID(), account.Domain(), account.String(), now.UnixMicro(), r.Reported.String(), r.Reason, r.Text,
			strings.Join(r.IDs, "\n"), r.ToOrigin, r.ThirdParty)
		if err != nil {
			return 0, fmt.Errorf("add report of %s: %w", account, err)
		}
		kept++
	}
	return kept, nil
}

const reportsSQL = `SELECT id, account, at, reported, reason, comment, stanza_ids, to_origin, third_party FROM reports
WHERE host = ? ORDER BY id DESC LIMIT ?`

// Reports implements abuse.ReportStore.
func (t *Tables) Reports(ctx context.Context, host jid.JID, limit int) ([]abuse.Report, error) {
	list, err := scan.Rows(ctx, t.store.Reader(), func(row scan.Row) (r abuse.Report, err error) {
		var account, reported, ids string
		var at int64
		if err := row.Scan(&r.ID, &account, &at, &reported, &r.Reason, &r.Text, &ids, &r.ToOrigin, &r.ThirdParty); err != nil {
			return r, err
		}
		r.At, r.Stanzas = time.UnixMicro(at), strings.FieldsFunc(ids, func(c rune) bool { return c == '\n' })
		if r.Account, err = jid.Parse(account); err != nil {
			return r, err
		}
		r.Reported, err = jid.Parse(reported)
		return r, err
	}, reportsSQL, host.String(), limit)
	if err != nil {
		return nil, fmt.Errorf("list reports of %s: %w", host, err)
	}
	return list, nil
}

const removeReportSQL = `DELETE FROM reports WHERE id = ?`

// RemoveReport implements abuse.ReportStore.
func (t *Tables) RemoveReport(ctx context.Context, id string) error {
	return t.store.Partition(id).Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(removeReportSQL, id); err != nil {
			return fmt.Errorf("remove report: %w", err)
		}
		return nil
	})
}

// ReportedMessages implements abuse.ReportStore. Ids that the archive does not have are left out.
func (t *Tables) ReportedMessages(ctx context.Context, account jid.JID, ids []string) ([]*stanza.Stanza, error) {
	var list []*stanza.Stanza
	for _, id := range ids {
		found, err := t.store.Query(ctx, account, archive.Filter{IDs: []string{id}}, archive.Page{Max: 1})
		if err != nil {
			continue // it is not in the archive, or not any more
		}
		for _, e := range found.Entries {
			if e.Stanza != nil {
				list = append(list, e.Stanza)
			}
		}
	}
	return list, ctx.Err()
}

const (
	strangerPolicySQL    = `SELECT policy FROM stranger_policies WHERE account = ?`
	setStrangerPolicySQL = `INSERT INTO stranger_policies (account, policy) SELECT jid, ?2 FROM accounts WHERE jid = ?1
ON CONFLICT (account) DO UPDATE SET policy = excluded.policy`
)

// StrangerPolicy implements abuse.PolicyStore.
func (t *Tables) StrangerPolicy(ctx context.Context, account jid.JID) (abuse.Policy, error) {
	list, err := scan.Rows(ctx, t.store.Reader(), func(row scan.Row) (p abuse.Policy, err error) { return p, row.Scan(&p) }, strangerPolicySQL, account.String())
	if err != nil || len(list) == 0 {
		return "", err
	}
	return list[0], nil
}

// SetStrangerPolicy implements abuse.PolicyStore.
func (t *Tables) SetStrangerPolicy(ctx context.Context, account jid.JID, p abuse.Policy) error {
	return t.store.Partition(account.String()).Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(setStrangerPolicySQL, account.String(), string(p)); err != nil {
			return fmt.Errorf("write what %s accepts from strangers: %w", account, err)
		}
		return nil
	})
}
