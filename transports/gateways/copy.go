package gateways

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/exclusive"
	"github.com/dragoman-im/dragoman/core/store/transfer"
	"github.com/dragoman-im/dragoman/transports/bridge/delivery"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// CopyStore copies a database of a server, with the tables of its gateways, to an empty one. Both are URLs as
// store.Options has them. Both are migrated to this release first. A copy that was interrupted goes
// on when it is called again; no server may use the databases meanwhile. report, which may be
// nil, gets lines that say how far it is.
func CopyStore(ctx context.Context, from, to string, report func(line string)) (failed error) {
	var stores [2]*store.Store
	for i, url := range []string{from, to} {
		hold, err := holdForCopy(ctx, url, i == 1, from)
		if err != nil {
			return err
		}
		defer func() { failed = errors.Join(failed, hold.Close()) }()
		s, err := store.Open(ctx, store.Options{URL: url, Log: slog.New(slog.DiscardHandler), Unfinished: i == 1})
		if err != nil {
			return err
		}
		defer func() { failed = errors.Join(failed, s.Close()) }()
		database, err := tables.Open(ctx, s)
		if err != nil {
			return err
		}
		if path, ok := strings.CutPrefix(url, "sqlite:"); ok && i == 0 {
			if err := moveDeliveryLogs(ctx, filepath.Dir(path), database); err != nil {
				return err
			}
		}
		stores[i] = s
	}
	return transfer.Copy(ctx, stores[0], stores[1], func(p transfer.Progress) {
		if report == nil || p.Of == 0 {
			return
		}
		what := "copied"
		if p.Comparing {
			what = "compared"
		}
		report(fmt.Sprintf("%-24s %d of %d rows %s", p.Table, p.Rows, p.Of, what))
	})
}

// holdForCopy keeps servers from a database while it is copied. A target in the directory of its source needs no second lock.
func holdForCopy(ctx context.Context, url string, target bool, source string) (*exclusive.Hold, error) {
	path, file := strings.CutPrefix(url, "sqlite:")
	other, otherFile := strings.CutPrefix(source, "sqlite:")
	if target && file && otherFile && filepath.Dir(path) == filepath.Dir(other) {
		return nil, nil
	}
	if file {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
	}
	return exclusive.New(ctx, exclusive.Scope{URL: url}, exclusive.Copy)
}

// moveDeliveryLogs moves what gateways have noted in files beside a SQLite database into it, so that it is copied too.
func moveDeliveryLogs(ctx context.Context, dir string, database *tables.Database) error {
	for _, pattern := range []string{"*" + deliveryLogSuffix, "*" + deliveryLogSuffix + ".old"} {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return err
		}
		for _, path := range paths {
			if err := delivery.MoveFiles(ctx, strings.TrimSuffix(path, ".old"), database); err != nil {
				return err
			}
		}
	}
	return nil
}
