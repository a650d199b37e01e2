package store

import (
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
)

// maxBatch is how many rows are written by one call of a BulkWriter.
const maxBatch = 4096

// BulkRow is one row of a Bulk. A BulkWriter sets Err where the row cannot be written although
// the rest can; the callback of the row gets it after the commit.
type BulkRow[T any] struct {
	Value T
	Err   error
	done  func(error)
}

// BulkWriter writes the rows of a Bulk. Each partition has its own, so that it may keep what
// it knows about the keys of its partition. Both methods run in the partition's goroutine.
type BulkWriter[T any] interface {
	// WriteRows writes rows in order, with a few statements for all of them. After an error nothing of
	// the call is in the database; where another attempt can help, each row is then tried alone. It may be
	// called several times for one transaction, and again for rows of a transaction that was rolled back.
	WriteRows(tx *sql.Tx, rows []BulkRow[T]) error
	// Ended is called when rows have their outcome: the transaction of the calls before was committed (nil) or
	// rolled back. Among the rows are those that were refused and never came to WriteRows.
	Ended(rows int, err error)
}

// BulkFunc is a BulkWriter that keeps nothing.
type BulkFunc[T any] func(tx *sql.Tx, rows []BulkRow[T]) error

// WriteRows implements BulkWriter.
func (f BulkFunc[T]) WriteRows(tx *sql.Tx, rows []BulkRow[T]) error { return f(tx, rows) }

// Ended implements BulkWriter.
func (f BulkFunc[T]) Ended(int, error) {}

// Bulk queues rows of one type for the next commit. Unlike functions (WriteAsync) the rows that
// wait are written together: a row costs neither a closure, nor a savepoint, nor a statement.
// The order is that of the queue: a row comes after the functions and rows of its partition that were
// queued before, and before those that are queued after it.
type Bulk[T any] struct {
	store *Store
	parts map[*Partition]*bulkPartition[T]
}

// NewBulk makes a Bulk; writer is called once for each partition.
func NewBulk[T any](s *Store, writer func(*Partition) BulkWriter[T]) *Bulk[T] {
	b := &Bulk[T]{store: s, parts: map[*Partition]*bulkPartition[T]{}}
	for _, p := range s.partitions {
		b.parts[p] = &bulkPartition[T]{partition: p, writer: writer(p)}
	}
	return b
}

// Append queues a row of a key. It does not wait: done, which may be nil, is called with the
// outcome after the commit, in the order of the rows, by the partition's goroutine, and must not block.
// Only on a closed store is it called at once.
func (b *Bulk[T]) Append(key string, row T, done func(error)) {
	if !b.parts[b.store.Partition(key)].append(BulkRow[T]{Value: row, done: done}) && done != nil {
		done(ErrClosed)
	}
}

// bulkPartition is the part of a Bulk that belongs to one partition.
type bulkPartition[T any] struct {
	partition *Partition
	writer    BulkWriter[T]

	// Guarded by the queue's lock.
	open  *batch[T] // that rows can be added to while it is the last in the queue
	spare *batch[T] // one that has been written, for its memory
}

// batch is some rows that are queued as one write.
type batch[T any] struct {
	write
	of      *bulkPartition[T]
	rows    []BulkRow[T]
	refused []func(error) // callbacks of rows for which there was no room
}

// append queues a row; false where the store is closed.
func (p *bulkPartition[T]) append(row BulkRow[T]) bool {
	q := p.partition.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	if p.open == nil || !q.isLast(&p.open.write) || len(p.open.rows) >= maxBatch {
		p.open = p.fresh()
		q.items = append(q.items, &p.open.write)
	}
	if q.rows >= maxQueue {
		p.open.refused = append(p.open.refused, row.done)
		if p.open.size == 0 {
			p.open.size = 1
			q.grown(1)
		}
		return true
	}
	p.open.rows = append(p.open.rows, row)
	p.open.size++
	q.grown(1)
	return true
}

func (p *bulkPartition[T]) fresh() *batch[T] {
	b := p.spare
	p.spare = nil
	if b == nil {
		b = &batch[T]{of: p}
		b.write = write{fn: b.run, done: b.finish}
	}
	return b
}

const (
	rowsSavepointSQL  = `SAVEPOINT rows`
	rowsReleaseSQL    = `RELEASE SAVEPOINT rows`
	rowsRollbackToSQL = `ROLLBACK TO SAVEPOINT rows`
)

// run writes the rows together or, where that fails, one by one.
func (b *batch[T]) run(tx *sql.Tx) error {
	err := b.protect(tx, b.rows)
	if err == nil || len(b.rows) == 1 || fatal(err) || repeatable(err) {
		return err
	}
	for i := range b.rows {
		if err := b.protect(tx, b.rows[i:i+1]); fatal(err) {
			return err
		} else if err != nil {
			b.rows[i].Err = err
		}
	}
	return nil
}

// errTransaction is an error after which nothing more can be done in the transaction.
type errTransaction struct{ cause error }

func (e *errTransaction) Error() string { return e.cause.Error() }
func (e *errTransaction) Unwrap() error { return e.cause }

func fatal(err error) bool {
	var lost *errTransaction
	return errors.As(err, &lost) || err != nil && repeatable(err)
}

// protect writes rows in a savepoint.
func (b *batch[T]) protect(tx *sql.Tx, rows []BulkRow[T]) error {
	for i := range rows {
		rows[i].Err = nil // of an attempt before this one
	}
	if _, err := tx.Exec(rowsSavepointSQL); err != nil {
		return &errTransaction{fmt.Errorf("savepoint: %w", err)}
	}
	err := b.call(tx, rows)
	if err != nil {
		if _, undo := tx.Exec(rowsRollbackToSQL); undo != nil {
			return &errTransaction{fmt.Errorf("%w (and undo: %w)", err, undo)}
		}
	}
	if _, err := tx.Exec(rowsReleaseSQL); err != nil {
		return &errTransaction{fmt.Errorf("release: %w", err)}
	}
	return err
}

// call is the BulkWriter's WriteRows with its panics as errors.
func (b *batch[T]) call(tx *sql.Tx, rows []BulkRow[T]) (err error) {
	defer func() {
		if r := recover(); r != nil {
			b.of.partition.store.log.Error("writing rows panicked", "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic in writing rows: %v", r)
		}
	}()
	return orphan(b.of.writer.WriteRows(tx, rows))
}

// finish reports the outcome of each row, and gives the memory back.
func (b *batch[T]) finish(err error) {
	b.of.writer.Ended(len(b.rows)+len(b.refused), err)
	for i := range b.rows {
		r := &b.rows[i]
		if r.Err == nil {
			r.Err = err
		}
		b.report(r.done, r.Err)
	}
	for _, done := range b.refused {
		b.report(done, ErrOverload)
	}
	clear(b.rows)
	clear(b.refused)
	b.rows, b.refused, b.size, b.err = b.rows[:0], b.refused[:0], 0, nil
	q := b.of.partition.queue
	q.mu.Lock()
	b.of.spare = b
	q.mu.Unlock()
}

// report calls the callback of one row; a panic there must not keep the others from theirs.
func (b *batch[T]) report(done func(error), err error) {
	if done == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			b.of.partition.store.log.Error("the callback of a row panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	done(err)
}
