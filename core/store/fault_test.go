package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// log keeps what is written to it.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

func insert(s *Store, n int, size int) error {
	return s.Write(context.Background(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO scratch (n, filling) VALUES (?, ?)`, n, strings.Repeat("x", size))
		return err
	})
}

func faulty(t *testing.T, o Options) (*Store, *log) {
	t.Helper()
	l := &log{}
	o.Log = slog.New(slog.NewTextHandler(l, nil))
	s := open(t, o)
	if err := s.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`CREATE TABLE scratch (n INTEGER, filling TEXT)`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return s, l
}

// checkLogged checks that a fault is one line of the log that says what to do, and its end another.
func checkLogged(t *testing.T, l *log, advice string, over bool) {
	t.Helper()
	if n := l.count("level=ERROR"); n != 1 || l.count(advice) != 1 {
		t.Errorf("%d errors in the log, want one about %q:\n%s", n, advice, l.text.String())
	}
	want := 0
	if over {
		want = 1
	}
	if n := l.count("can be written again"); n != want {
		t.Errorf("the end was logged %d times:\n%s", n, l.text.String())
	}
}

// A full disk: each write says so, none is half done, and all goes on when there is space.
func TestFull(t *testing.T) {
	t.Parallel()
	onlySQLite(t)
	s, l := faulty(t, Options{})
	limit := func(pages int) {
		t.Helper()
		if err := s.Write(t.Context(), func(tx *sql.Tx) error {
			var n int
			return tx.QueryRow(fmt.Sprintf(`PRAGMA max_page_count = %d`, pages)).Scan(&n)
		}); err != nil {
			t.Fatal(err)
		}
	}
	limit(1) // as many as there are
	written := map[int]bool{}
	failed := 0
	for i := range 100 {
		err := insert(s, i, 3000)
		var fault *Unavailable
		switch {
		case err == nil:
			written[i] = true
		case !errors.As(err, &fault) || !stanza.Temporary(err):
			t.Fatal(err)
		default:
			failed++
		}
		if err := s.Partition("").Settle(t.Context()); err != nil { // reading goes on
			t.Fatal(err)
		}
	}
	if failed < 50 {
		t.Fatalf("only %d writes failed", failed)
	}
	checkLogged(t, l, "free space", false)
	limit(1 << 30)
	if err := insert(s, 1000, 3000); err != nil {
		t.Fatal(err)
	}
	written[1000] = true
	checkLogged(t, l, "free space", true)
	if got := numbers(t, s); len(got) != len(written) {
		t.Errorf("%d written, %d there", len(written), len(got))
	}
}

// Another process holds a lock: nobody waits for longer than the store does for one, and
// reading goes on.
func TestLocked(t *testing.T) {
	t.Parallel()
	onlySQLite(t)
	const busy = 200 * time.Millisecond
	s, l := faulty(t, Options{BusyTimeout: busy})
	other, err := sql.Open("sqlite3", "file:"+s.location+"?_txlock=exclusive")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	lock, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	var wg sync.WaitGroup
	for i := range 3 * maxGroup {
		wg.Go(func() {
			if err := insert(s, i, 1); !stanza.Temporary(err) {
				t.Errorf("write %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if took := time.Since(begun); took > 20*busy {
		t.Errorf("the last waited for %v", took)
	}
	if _, err := s.Accounts(t.Context()); err != nil {
		t.Error(err)
	}
	checkLogged(t, l, "another program", false)
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := insert(s, 1, 1); err != nil {
		t.Error(err)
	}
	checkLogged(t, l, "another program", true)
	if got := numbers(t, s); len(got) != 1 {
		t.Errorf("%d rows", len(got))
	}
}

// What comes too late or is too much can be tried again as well.
func TestNotTried(t *testing.T) {
	t.Parallel()
	if !stanza.Temporary(ErrClosed) || !stanza.Temporary(fmt.Errorf("write: %w", ErrOverload)) || stanza.Temporary(ErrNoAccount) {
		t.Error("which errors are temporary")
	}
}
