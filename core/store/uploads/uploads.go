package uploads

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/features/upload"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/scan"
)

// Tables are the tables of a server. Its methods may be called from any goroutine.
type Tables struct{ store *store.Store }

// New returns the tables in a database.
func New(s *store.Store) *Tables { return &Tables{s} }

var _ upload.Store = (*Tables)(nil)

// errGone is the error for an account that has been deleted meanwhile, or is being deleted.
var errGone = stanza.ItemNotFound("it has been deleted")

const (
	lockAccountSQL = `SELECT jid FROM accounts WHERE jid = ? /*postgres FOR NO KEY UPDATE*/`
	removalSQL     = `SELECT account FROM removals WHERE account = ?`
)

// lock locks the row of an account, so that its quota is checked for one file after the other.
func lock(tx *sql.Tx, account jid.JID) error {
	var text string
	err := tx.QueryRow(lockAccountSQL, account.String()).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return errGone
	}
	if err != nil {
		return fmt.Errorf("lock account %s: %w", account, err)
	}
	switch err := tx.QueryRow(removalSQL, account.String()).Scan(&text); {
	case err == nil:
		return errGone
	case !errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("look up removal of %s: %w", account, err)
	}
	return nil
}

const addUploadSQL = `INSERT INTO uploads (id, account, name, type, size, purpose, created, until, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`

// AddUpload implements upload.Store.
func (t *Tables) AddUpload(ctx context.Context, f upload.File, q upload.Quota) error {
	return t.store.Partition(f.Account.String()).Write(ctx, func(tx *sql.Tx) error {
		if err := lock(tx, f.Account); err != nil {
			return err
		}
		if _, err := tx.Exec(forgetDeletedSQL, f.Account.String(), f.Created.Add(-quotaDay).UnixMicro()); err != nil {
			return fmt.Errorf("forget deleted uploads of %s: %w", f.Account, err)
		}
		if err := checkUploads(tx, f, q); err != nil {
			return err
		}
		_, err := tx.Exec(addUploadSQL, f.ID, f.Account.String(), f.Name, f.Type, f.Size, string(f.Purpose), f.Created.UnixMicro(), microsOf(f.Until), microsOf(f.Expires))
		if err != nil {
			return fmt.Errorf("add upload of %s: %w", f.Account, err)
		}
		return nil
	})
}

// microsOf is a time as it is stored; NULL for the zero time.
func microsOf(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMicro(), Valid: !t.IsZero()}
}

// quotaDay is the time of upload.Quota.Daily.
const quotaDay = 24 * time.Hour

const (
	uploadsOfDaySQL = `SELECT created, size FROM uploads WHERE account = ?1 AND created > ?2
UNION ALL SELECT created, size FROM uploads_deleted WHERE account = ?1 AND created > ?2 ORDER BY created`
	forgetDeletedSQL = `DELETE FROM uploads_deleted WHERE account = ? AND created <= ?`
	uploadsTotalSQL  = `SELECT coalesce(sum(size), 0), coalesce(min(created), 0) FROM uploads WHERE account = ?`
	uploadsOfSQL     = `SELECT count(*) FROM uploads WHERE account = ? AND purpose = ?`
)

// checkUploads returns an *upload.Exceeded if an account would have more than its quota.
func checkUploads(tx *sql.Tx, f upload.File, q upload.Quota) error {
	if q.Purpose > 0 {
		var n int
		if err := tx.QueryRow(uploadsOfSQL, f.Account.String(), string(f.Purpose)).Scan(&n); err != nil {
			return fmt.Errorf("count uploads of %s: %w", f.Account, err)
		}
		if n >= q.Purpose {
			return &upload.Exceeded{Setting: "upload." + string(f.Purpose) + "_files"}
		}
	}
	if err := checkDay(tx, f, q); err != nil || q.Total <= 0 {
		return err
	}
	var total, oldest int64
	if err := tx.QueryRow(uploadsTotalSQL, f.Account.String()).Scan(&total, &oldest); err != nil {
		return fmt.Errorf("count uploads of %s: %w", f.Account, err)
	}
	if total+f.Size <= q.Total {
		return nil
	}
	over := &upload.Exceeded{Setting: "upload.total"}
	if q.Keep > 0 && oldest > 0 {
		over.Retry = time.UnixMicro(oldest).UTC().Add(q.Keep)
	}
	return over
}

// checkDay checks the quotas of a day. Its Retry is when enough of the day's uploads are a day old.
func checkDay(tx *sql.Tx, f upload.File, q upload.Quota) error {
	rows, err := tx.Query(uploadsOfDaySQL, f.Account.String(), f.Created.Add(-quotaDay).UnixMicro())
	if err != nil {
		return fmt.Errorf("count uploads of %s: %w", f.Account, err)
	}
	defer rows.Close()
	type one struct{ created, size int64 }
	var list []one
	bytes := f.Size
	for rows.Next() {
		var o one
		if err := rows.Scan(&o.created, &o.size); err != nil {
			return fmt.Errorf("count uploads of %s: %w", f.Account, err)
		}
		list = append(list, o)
		bytes += o.size
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("count uploads of %s: %w", f.Account, err)
	}
	setting := ""
	files, retry := len(list)+1, time.Time{}
	for _, o := range list {
		tooMany, tooMuch := q.DailyFiles > 0 && files > q.DailyFiles, q.Daily > 0 && bytes > q.Daily
		switch {
		case tooMany && setting == "":
			setting = "upload.daily_files"
		case tooMuch && setting == "":
			setting = "upload.daily"
		case !tooMany && !tooMuch:
			return exceeded(setting, retry)
		}
		files, bytes, retry = files-1, bytes-o.size, time.UnixMicro(o.created).UTC().Add(quotaDay)
	}
	if q.Daily > 0 && bytes > q.Daily { // it is too large for any day
		return &upload.Exceeded{Setting: "upload.daily"}
	}
	return exceeded(setting, retry)
}

func exceeded(setting string, retry time.Time) error {
	if setting == "" {
		return nil
	}
	return &upload.Exceeded{Setting: setting, Retry: retry}
}

const storeUploadSQL = `UPDATE uploads SET type = ?, expires = ?, stored = ? WHERE id = ? AND account = ? AND stored IS NULL`

// StoreUpload implements upload.Store.
func (t *Tables) StoreUpload(ctx context.Context, f upload.File) error {
	return t.store.Partition(f.Account.String()).Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.Exec(storeUploadSQL, f.Type, microsOf(f.Expires), f.Stored.UnixMicro(), f.ID, f.Account.String())
		if err != nil {
			return fmt.Errorf("store upload of %s: %w", f.Account, err)
		}
		n, err := done.RowsAffected()
		if err != nil {
			return fmt.Errorf("store upload of %s: %w", f.Account, err)
		}
		if n == 0 {
			return upload.ErrNotFound
		}
		return nil
	})
}

const uploadSQL = `SELECT id, account, name, type, size, purpose, created, until, expires, stored FROM uploads WHERE id = ?`

// Upload implements upload.Store.
func (t *Tables) Upload(ctx context.Context, id string) (upload.File, error) {
	f, err := scanUpload(t.store.Reader().QueryRowContext(ctx, uploadSQL, id))
	if errors.Is(err, sql.ErrNoRows) {
		return f, upload.ErrNotFound
	}
	if err != nil {
		return f, fmt.Errorf("read upload: %w", err)
	}
	return f, nil
}

func scanUpload(row scan.Row) (f upload.File, err error) {
	var account string
	var created int64
	var until, expires, stored sql.NullInt64
	if err := row.Scan(&f.ID, &account, &f.Name, &f.Type, &f.Size, &f.Purpose, &created, &until, &expires, &stored); err != nil {
		return upload.File{}, err
	}
	f.Created = time.UnixMicro(created).UTC()
	for _, t := range []struct {
		from sql.NullInt64
		to   *time.Time
	}{{until, &f.Until}, {expires, &f.Expires}, {stored, &f.Stored}} {
		if t.from.Valid {
			*t.to = time.UnixMicro(t.from.Int64).UTC()
		}
	}
	f.Account, err = jid.Parse(account)
	return f, err
}

const (
	uploadsOfAccountSQL = `SELECT id FROM uploads WHERE account = ? ORDER BY created LIMIT ?`
	expiredUploadsSQL   = `SELECT id FROM uploads WHERE expires < ? ORDER BY expires LIMIT ?`
	oldUploadsSQL       = `SELECT id FROM uploads WHERE created < ? AND purpose <> 'profile' ORDER BY created LIMIT ?`
)

// SelectUploads implements upload.Store.
func (t *Tables) SelectUploads(ctx context.Context, sel upload.Selection) ([]string, error) {
	ids := func(query string, args ...any) ([]string, error) {
		return scan.Rows(ctx, t.store.Reader(), func(row scan.Row) (id string, err error) {
			err = row.Scan(&id)
			return id, err
		}, query, args...)
	}
	if !sel.Account.IsZero() {
		return ids(uploadsOfAccountSQL, sel.Account.String(), sel.Limit)
	}
	list, err := ids(expiredUploadsSQL, sel.Expired.UnixMicro(), sel.Limit)
	if err != nil || sel.Created.IsZero() {
		return list, err
	}
	old, err := ids(oldUploadsSQL, sel.Created.UnixMicro(), sel.Limit)
	return append(list, old...), err
}

const (
	uploadAccountSQL = `SELECT account FROM uploads WHERE id = ?`
	deleteUploadSQL  = `DELETE FROM uploads WHERE id = ?`
	noteDeletedSQL   = `INSERT INTO uploads_deleted (id, account, size, created)
SELECT id, account, size, created FROM uploads WHERE id = ? AND stored IS NOT NULL AND created > ? ON CONFLICT DO NOTHING`
)

// DeleteUpload implements upload.Store. What was uploaded in the last day still counts for the quota of the day.
func (t *Tables) DeleteUpload(ctx context.Context, id string) error {
	var account string
	err := t.store.Reader().QueryRowContext(ctx, uploadAccountSQL, id).Scan(&account)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete upload: %w", err)
	}
	return t.store.Partition(account).Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(noteDeletedSQL, id, time.Now().Add(-quotaDay).UnixMicro()); err != nil {
			return fmt.Errorf("note deleted upload: %w", err)
		}
		if _, err := tx.Exec(deleteUploadSQL, id); err != nil {
			return fmt.Errorf("delete upload: %w", err)
		}
		return nil
	})
}
