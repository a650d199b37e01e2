package store

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/dragoman-im/dragoman/core/store/postgres"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// A connection that is lost before COMMIT is not seen by those who write.
func TestConnectionLost(t *testing.T) {
	t.Parallel()
	s := open(t, Options{URL: storetest.Postgres(t)})
	scratch(t, s)
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Add(1)
		lost := false
		s.Partition(fmt.Sprint(i)).WriteAsync(func(tx *sql.Tx) error {
			if err := put(i)(tx); err != nil || i%10 != 0 || lost {
				return err
			}
			lost = true
			var pid int
			var ended bool
			if err := tx.QueryRow(`SELECT pg_backend_pid()`).Scan(&pid); err != nil {
				return err
			}
			return s.Reader().QueryRow(`SELECT pg_terminate_backend(?)`, pid).Scan(&ended)
		}, func(err error) {
			if err != nil {
				t.Errorf("write %d: %v", i, err)
			}
			wg.Done()
		})
	}
	wg.Wait()
	if got := numbers(t, s); len(got) != 100 {
		t.Errorf("%d rows, want 100", len(got))
	}
}

// Two partitions that wait for each other's rows: one transaction is repeated, and both succeed.
func TestDeadlock(t *testing.T) {
	t.Parallel()
	s := open(t, Options{URL: storetest.Postgres(t)})
	scratch(t, s)
	if err := s.Write(t.Context(), func(tx *sql.Tx) error { return errors.Join(put(1)(tx), put(2)(tx)) }); err != nil {
		t.Fatal(err)
	}
	other := 0
	for s.Partition("0") == s.Partition(fmt.Sprint(other)) {
		other++
	}
	var met, done sync.WaitGroup
	met.Add(2)
	for i, key := range []string{"0", fmt.Sprint(other)} {
		done.Add(1)
		first := true
		s.Partition(key).WriteAsync(func(tx *sql.Tx) error {
			const addSQL = `UPDATE scratch SET pad = coalesce(pad, '') || 'x' WHERE n = ?`
			if _, err := tx.Exec(addSQL, 1+i); err != nil {
				return err
			}
			if first {
				first = false
				met.Done()
				met.Wait()
			}
			_, err := tx.Exec(addSQL, 2-i)
			return err
		}, func(err error) {
			if err != nil {
				t.Error(err)
			}
			done.Done()
		})
	}
	done.Wait()
	var all int
	if err := s.Reader().QueryRow(`SELECT sum(length(pad)) FROM scratch`).Scan(&all); err != nil || all != 4 {
		t.Errorf("%d changes, want 4: %v", all, err)
	}
}

// Where the answer to COMMIT is lost, it is found out how the transaction ended.
func TestOutcomeOfCommit(t *testing.T) {
	t.Parallel()
	s := open(t, Options{URL: storetest.Postgres(t)})
	const idSQL = `SELECT CAST(pg_current_xact_id() AS text)`
	ids := map[bool]string{}
	failed := errors.New("rolled back")
	for _, committed := range []bool{true, false} {
		err := s.Write(t.Context(), func(tx *sql.Tx) error {
			var id string
			if err := tx.QueryRow(idSQL).Scan(&id); err != nil {
				return err
			}
			ids[committed] = id
			if committed {
				return nil
			}
			return failed
		})
		if committed != (err == nil) {
			t.Fatal(err)
		}
	}
	lost := errors.New("connection reset by peer")
	if err := s.outcome(&postgres.UnknownCommit{ID: ids[true], Cause: lost}); err != nil {
		t.Errorf("committed: %v", err)
	}
	var fault *Unavailable
	if err := s.outcome(fmt.Errorf("commit: %w", &postgres.UnknownCommit{ID: ids[false], Cause: lost})); !errors.As(err, &fault) || !repeatable(err) {
		t.Errorf("rolled back: %v, is repeated: %v", err, repeatable(err))
	}
	if err := s.outcome(lost); !errors.Is(err, lost) {
		t.Errorf("another error: %v", err)
	}
}

// What PostgreSQL does not take in a text is replaced.
func TestTextOfPostgres(t *testing.T) {
	t.Parallel()
	s := open(t, Options{URL: storetest.Postgres(t)})
	scratch(t, s)
	err := s.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO scratch (n, pad) VALUES (1, ?)`, "a\x00b\xffc")
		return err
	})
	var text string
	if err == nil {
		err = s.Reader().QueryRow(`SELECT pad FROM scratch`).Scan(&text)
	}
	if err != nil || text != "a\uFFFDb\uFFFDc" {
		t.Errorf("%q %v", text, err)
	}
	if _, err := s.Reader().Exec(`DELETE FROM scratch`); err == nil {
		t.Error("a reader writes")
	}
}

// A password in the URL is in no error.
func TestURLIsSecret(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"postgres://me:topsecret@127.0.0.1:1/none", "postgres://me:topsecret@:bad:/x", "postgres://me:topsecret@[/x"} {
		if _, err := Open(t.Context(), Options{URL: url}); err == nil || strings.Contains(err.Error(), "topsecret") {
			t.Errorf("%v", err)
		}
	}
}
