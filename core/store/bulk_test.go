package store

import (
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
)

// scratchRows writes numbers; what is negative is refused by the writer, -13 makes it panic.
func scratchRows(tx *sql.Tx, rows []BulkRow[int]) error {
	args := make([]any, 0, len(rows))
	for i := range rows {
		switch n := rows[i].Value; {
		case n == -13:
			panic("boom")
		case n < 0:
			rows[i].Err = errors.New("negative")
		default:
			args = append(args, n)
		}
	}
	if len(args) == 0 {
		return nil
	}
	_, err := tx.Exec(`INSERT INTO scratch (n) VALUES `+strings.Repeat(`(?), `, len(args)-1)+`(?)`, args...)
	return err
}

func scratchBulk(s *Store) *Bulk[int] {
	return NewBulk(s, func(*Partition) BulkWriter[int] { return BulkFunc[int](scratchRows) })
}

// A row that cannot be written fails alone, and each row gets its own outcome.
func TestBulkRowsFailAlone(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	scratch(t, s)
	b := scratchBulk(s)
	values := []int{1, 2, -1, 3, 1, -13, 4} // 1 is there already when it comes again
	var mu sync.Mutex
	var outcomes []error
	var wg sync.WaitGroup
	wg.Add(len(values))
	held := make(chan struct{})
	s.Partition("key").WriteAsync(func(*sql.Tx) error { <-held; return nil }, nil) // so that all are written together
	for _, n := range values {
		b.Append("key", n, func(err error) {
			mu.Lock()
			outcomes = append(outcomes, err)
			mu.Unlock()
			wg.Done()
		})
	}
	close(held)
	wg.Wait()
	for i, refused := range []bool{false, false, true, false, true, true, false} {
		if (outcomes[i] != nil) != refused {
			t.Errorf("%d: %v", values[i], outcomes[i])
		}
	}
	if got := numbers(t, s); len(got) != 4 || !got[1] || !got[2] || !got[3] || !got[4] {
		t.Errorf("%v", got)
	}
}

// Rows and functions of one partition are written in the order in which they were queued.
func TestBulkOrder(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	scratch(t, s)
	b := scratchBulk(s)
	held := make(chan struct{})
	s.Partition("key").WriteAsync(func(*sql.Tx) error { <-held; return nil }, nil)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Add(2)
		b.Append("key", i, func(error) { wg.Done() })
		s.Partition("key").WriteAsync(func(tx *sql.Tx) error {
			var n, last int
			if err := tx.QueryRow(`SELECT count(*), max(n) FROM scratch`).Scan(&n, &last); err != nil || n != i+1 || last != i {
				t.Errorf("%d rows up to %d after row %d: %v", n, last, i, err)
			}
			return nil
		}, func(error) { wg.Done() })
	}
	close(held)
	wg.Wait()
}

// What there is no room for is refused, and counted once.
func TestBulkOverload(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	scratch(t, s)
	b := scratchBulk(s)
	held, begun := make(chan struct{}), make(chan struct{})
	s.Partition("key").WriteAsync(func(*sql.Tx) error { close(begun); <-held; return nil }, nil)
	<-begun
	const over = 10
	var refused, written int
	var wg sync.WaitGroup
	wg.Add(maxQueue + over)
	for i := range maxQueue + over {
		b.Append("key", i, func(err error) {
			if errors.Is(err, ErrOverload) {
				refused++
			} else if err == nil {
				written++
			}
			wg.Done()
		})
	}
	if n := s.Partition("key").queue.waiting.Load(); n < maxQueue || n > maxQueue+1 { // those that are refused may have a place of their own
		t.Errorf("%d rows wait, want %d", n, maxQueue)
	}
	close(held)
	wg.Wait()
	if refused != over || written != maxQueue {
		t.Errorf("%d rows were refused, %d written", refused, written)
	}
	if n := s.Partition("key").queue.waiting.Load(); n != 0 {
		t.Errorf("%d rows wait at the end", n)
	}
}

func TestBulkClosed(t *testing.T) {
	t.Parallel()
	s := open(t, Options{})
	b := scratchBulk(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	b.Append("key", 1, func(err error) { done <- err })
	if err := <-done; !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}
