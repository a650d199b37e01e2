package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/core/store/sqlerror"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(pipelineKilledEnv); url != "" {
		sendAndDie(url)
	}
	if os.Getenv(killedEnv) != "" {
		writeUntilKilled(os.Getenv(killedEnv))
		return
	}
	if os.Getenv(killedArchiveEnv) != "" {
		archiveUntilKilled(os.Getenv(killedArchiveEnv))
		return
	}
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, o Options) *Store {
	t.Helper()
	if o.Path == "" && o.URL == "" {
		o.URL = storetest.URL(t)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// onlySQLite skips tests of what PostgreSQL does in its server.
func onlySQLite(t testing.TB) {
	t.Helper()
	if storetest.OnPostgres() {
		t.Skip("of SQLite")
	}
}

// scratch makes a table for tests of the writer.
func scratch(t testing.TB, s *Store) {
	t.Helper()
	err := s.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`CREATE TABLE IF NOT EXISTS scratch (n INTEGER NOT NULL PRIMARY KEY, pad TEXT)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func put(n int) func(*sql.Tx) error {
	return func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO scratch (n) VALUES (?)`, n)
		return err
	}
}

func numbers(t testing.TB, s *Store) map[int]bool {
	t.Helper()
	rows, err := s.Reader().Query(`SELECT n FROM scratch`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := map[int]bool{}
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		got[n] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestFailureOfOneWrite(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	scratch(t, s)
	mine := errors.New("mine")
	const n = 600
	errs := make([]error, n)
	var wg sync.WaitGroup
	wg.Add(n)
	for i := range n {
		fn := put(i)
		switch i % 3 {
		case 1:
			fn = func(tx *sql.Tx) error {
				return errors.Join(put(i)(tx), mine) // what it wrote must be undone
			}
		case 2:
			fn = func(tx *sql.Tx) error {
				if err := put(i)(tx); err != nil {
					return err
				}
				panic("boom")
			}
		}
		s.WriteAsync(fn, func(err error) { errs[i] = err; wg.Done() })
	}
	wg.Wait()
	got := numbers(t, s)
	for i := range n {
		switch i % 3 {
		case 0:
			if errs[i] != nil || !got[i] {
				t.Fatalf("write %d: %v, stored %v", i, errs[i], got[i])
			}
		case 1:
			if !errors.Is(errs[i], mine) || got[i] {
				t.Fatalf("write %d: %v, stored %v", i, errs[i], got[i])
			}
		case 2:
			if errs[i] == nil || got[i] {
				t.Fatalf("write %d: %v, stored %v", i, errs[i], got[i])
			}
		}
	}
}

func TestFunctionThatEndsTheTransaction(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	scratch(t, s)
	err := s.Write(t.Context(), func(tx *sql.Tx) error { return tx.Rollback() })
	if err == nil {
		t.Error("a function may not end the transaction")
	}
	if err := s.Write(t.Context(), put(1)); err != nil || !numbers(t, s)[1] {
		t.Errorf("the next write: %v", err)
	}
}

func TestPanickingCompletion(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	scratch(t, s)
	s.WriteAsync(put(1), func(error) { panic("boom") })
	if err := s.Write(t.Context(), put(2)); err != nil || len(numbers(t, s)) != 2 {
		t.Errorf("%v %v", err, numbers(t, s))
	}
}

// A full disk fails every write of the group, and nothing of it is on the disk.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	onlySQLite(t)
	s := open(t, Options{})
	scratch(t, s)
	if _, err := s.writes.Exec(`PRAGMA max_page_count = 60`); err != nil {
		t.Fatal(err)
	}
	const n = 400
	errs := make([]error, n)
	var wg sync.WaitGroup
	wg.Add(n)
	for i := range n {
		s.WriteAsync(func(tx *sql.Tx) error {
			_, err := tx.Exec(`INSERT INTO scratch (n, pad) VALUES (?, zeroblob(2000))`, i)
			return err
		}, func(err error) { errs[i] = err; wg.Done() })
	}
	wg.Wait()
	got := numbers(t, s)
	failed := 0
	for i := range n {
		if (errs[i] == nil) != got[i] {
			t.Fatalf("write %d: reported %v, stored %v", i, errs[i], got[i])
		}
		if errs[i] != nil {
			failed++
		}
	}
	if failed == 0 {
		t.Fatal("the disk was never full")
	}
	if _, err := s.writes.Exec(`PRAGMA max_page_count = 100000`); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), put(n+1)); err != nil {
		t.Errorf("with space again: %v", err)
	}
}

func TestLockedByAnotherProcess(t *testing.T) {
	t.Parallel()
	onlySQLite(t)
	s := open(t, Options{BusyTimeout: 20 * time.Millisecond})
	scratch(t, s)
	other, err := sql.Open("sqlite3", source(Options{Path: s.location, BusyTimeout: time.Second}, "rw"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Add(3)
	for i := range 3 {
		s.WriteAsync(put(i), func(err error) {
			if err == nil {
				t.Error("reported done while another process held the lock")
			}
			wg.Done()
		})
	}
	wg.Wait()
	if len(numbers(t, s)) != 0 {
		t.Error("something was written")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), put(1)); err != nil {
		t.Errorf("after the lock: %v", err)
	}
}

func TestCloseDrains(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	s := open(t, Options{URL: url})
	scratch(t, s)
	const n = 1000
	var wg sync.WaitGroup
	wg.Add(n)
	for i := range n {
		s.WriteAsync(put(i), func(err error) {
			if err != nil {
				t.Errorf("write %d: %v", i, err)
			}
			wg.Done()
		})
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if err := s.Write(t.Context(), put(n)); !errors.Is(err, ErrClosed) {
		t.Errorf("write after close: %v", err)
	}
	var late error
	s.WriteAsync(put(n), func(err error) { late = err })
	if !errors.Is(late, ErrClosed) {
		t.Errorf("write after close: %v", late)
	}
	if got := numbers(t, open(t, Options{URL: url})); len(got) != n {
		t.Errorf("%d of %d kept", len(got), n)
	}
}

func TestWriteCancelled(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	scratch(t, s)
	begun, go_ := make(chan struct{}), make(chan struct{})
	s.WriteAsync(func(tx *sql.Tx) error { close(begun); <-go_; return nil }, nil)
	<-begun
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error)
	go func() { result <- s.Write(ctx, put(1)) }()
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("write: %v", err)
	}
	close(go_)
	if err := s.Write(t.Context(), put(2)); err != nil || numbers(t, s)[1] {
		t.Errorf("%v; a cancelled write was done: %v", err, numbers(t, s))
	}
}

func TestOverload(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	scratch(t, s)
	begun, go_ := make(chan struct{}), make(chan struct{})
	s.WriteAsync(func(tx *sql.Tx) error { close(begun); <-go_; return nil }, nil)
	<-begun
	nothing := func(*sql.Tx) error { return nil }
	for range maxQueue {
		s.WriteAsync(nothing, nil)
	}
	done := make(chan error, 1)
	s.WriteAsync(put(1), func(err error) { done <- err })
	close(go_)
	if err := <-done; !errors.Is(err, ErrOverload) {
		t.Errorf("%v", err)
	}
}

// TestSingleStatements: one that is refused does not undo the others.
func TestSingleStatements(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	scratch(t, s)
	const n = 600
	errs := make([]error, n)
	var wg sync.WaitGroup
	wg.Add(n)
	for i := range n {
		s.Partition("").writeAsync(&write{fn: put(i &^ 1), single: true, done: func(err error) { errs[i] = err; wg.Done() }})
	}
	wg.Wait()
	got := numbers(t, s)
	for i := range n {
		if odd := i%2 == 1; sqlerror.Constraint(errs[i]) != odd || (errs[i] == nil) == odd || !got[i&^1] {
			t.Fatalf("write %d: %v, stored %v", i, errs[i], got[i&^1])
		}
	}
}

// TestPace holds back whoever brings more than the disk takes.
func TestPace(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	never := make(chan struct{})
	s.Pace(never) // nothing waits
	hold, begun := make(chan struct{}), make(chan struct{})
	s.WriteAsync(func(*sql.Tx) error { close(begun); <-hold; return nil }, nil)
	<-begun
	for range paceLimit {
		s.WriteAsync(func(*sql.Tx) error { return nil }, nil)
	}
	stop := make(chan struct{})
	close(stop)
	s.Pace(stop) // returns although as many wait
	if s.Partition("").queue.belowPaceLimit() == nil {
		t.Fatal("fewer wait than the limit")
	}
	paced := make(chan struct{})
	go func() { defer close(paced); s.Pace(never) }()
	select {
	case <-paced:
		t.Error("nobody is held back")
	case <-time.After(20 * time.Millisecond): // it must not return, which cannot be waited for
	}
	close(hold)
	<-paced
	if n := s.Partition("").queue.waiting.Load(); n >= paceLimit {
		t.Errorf("%d writes wait still", n)
	}
}

func TestFileMode(t *testing.T) {
	t.Parallel()
	onlySQLite(t)
	path := filepath.Join(t.TempDir(), "sub", "a file?#%.db")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s := open(t, Options{Path: path})
	scratch(t, s)
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 4 { // the database, -wal, -shm and what is collected
		t.Fatalf("%v %v", entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", e.Name(), info.Mode(), err)
		}
	}
	var journal, sync string
	var pages int
	err = errors.Join(s.writes.QueryRow(`PRAGMA journal_mode`).Scan(&journal), s.writes.QueryRow(`PRAGMA synchronous`).Scan(&sync),
		s.writes.QueryRow(`PRAGMA wal_autocheckpoint`).Scan(&pages))
	if err != nil || journal != "wal" || sync != "2" || pages != walPages {
		t.Errorf("journal %s, synchronous %s, copied after %d pages, %v", journal, sync, pages, err)
	}
	if _, err := s.Reader().Exec(`DELETE FROM accounts`); err == nil {
		t.Error("a reader writes")
	}
}

func TestBackup(t *testing.T) {
	t.Parallel()
	onlySQLite(t)
	s := open(t, Options{})
	scratch(t, s)
	if err := s.Write(t.Context(), put(7)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := s.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), path); err == nil {
		t.Error("a backup overwrites a file")
	}
	if !numbers(t, open(t, Options{Path: path}))[7] {
		t.Error("the copy lacks a row")
	}
}

// BenchmarkWrite is writes per second by how many wait at once; /1 is the latency of one.
func BenchmarkWrite(b *testing.B) {
	for _, writers := range []int{1, 16, 256} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			s := open(b, Options{})
			scratch(b, s)
			row := func(tx *sql.Tx) error {
				_, err := tx.Exec(`INSERT INTO scratch (pad) VALUES (?)`, "a row of about the size of a chat message, with its body and its addresses in it")
				return err
			}
			if _, err := s.writes.Exec(`DROP TABLE scratch; CREATE TABLE scratch (n INTEGER PRIMARY KEY, pad BLOB)`); err != nil {
				b.Fatal(err)
			}
			free := make(chan struct{}, writers)
			b.ResetTimer()
			for range b.N {
				free <- struct{}{}
				s.WriteAsync(row, func(err error) {
					if err != nil {
						b.Error(err)
					}
					<-free
				})
			}
			for range writers {
				free <- struct{}{}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
		})
	}
}
