package inbox

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// countReads counts the queries for events.
type countReads struct {
	Messages
	reads *atomic.Int64
}

func (c countReads) PendingEvents(ctx context.Context, room int64, limit int) ([]tables.Event, error) {
	c.reads.Add(1)
	return c.Messages.PendingEvents(ctx, room, limit)
}

// deliver stores messages, and waits until they were processed.
func (f *fixture) deliver(t *testing.T, from, to int) {
	t.Helper()
	f.write(t, from, to)
	f.wait(t, to-1)
}

// write stores messages with the ids from to to-1.
func (f *fixture) write(t *testing.T, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		id := transports.MessageID(fmt.Sprint("m", i))
		row, err := f.inbox.row(&logins.Login{}, f.room, transports.Event{
			Key: string(id), Room: "plaza", Kind: transports.Public, Actor: "cleo", At: time.Now(),
			Body: transports.Message{ID: id, Text: richtext.FromPlain(string(id))},
		}, true)
		if err == nil {
			done := make(chan error, 1)
			f.inbox.write([]tables.Event{row}, never, func(err error) { done <- err })
			err = <-done
		}
		if err != nil {
			t.Error(err)
			return
		}
	}
}

// wait waits until a message was processed.
func (f *fixture) wait(t *testing.T, i int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		rows, err := f.store.ByNetworkID(t.Context(), f.room, transports.MessageID(fmt.Sprint("m", i)))
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) == 1 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("m%d is not processed", i)
		}
	}
}

// stay keeps the conversation in memory.
func (f *fixture) stay() {
	f.set.Hold(f.room)
	f.set.Release(f.room, false)
}

// settle returns when a round that began after the call has ended.
func (f *fixture) settle() {
	f.work() // perhaps the end of one that began before
	f.work()
}

// Events are read from the database once after a start, after a backfill, after a replay and after rows were
// removed; else they are processed from memory.
func TestReadsOfEvents(t *testing.T) {
	t.Parallel()
	var reads atomic.Int64
	f := newFixture(t, func(m Messages) Messages { return countReads{m, &reads} })
	f.stay()
	f.settle()
	reads.Store(0)
	f.deliver(t, 0, 10)
	if n := reads.Load(); n != 0 {
		t.Errorf("events were read %d times", n)
	}
	for i, change := range []func(){
		f.stay,
		func() { f.set.Reread(f.room) },
		f.inbox.Forget,
	} {
		change()
		f.settle()
		if n := reads.Swap(0); n < 1 || n > 2 {
			t.Errorf("change %d: events were read %d times", i, n)
		}
		f.deliver(t, 10*(i+1), 10*(i+2))
		if n := reads.Load(); n != 0 {
			t.Errorf("change %d: events were read %d times later", i, n)
		}
	}
}

// failingReads is a store from which no events can be read while fail is set.
type failingReads struct {
	Messages
	fail *atomic.Bool
}

func (f failingReads) PendingEvents(ctx context.Context, room int64, limit int) ([]tables.Event, error) {
	if f.fail.Load() {
		return nil, errors.New("disk on fire")
	}
	return f.Messages.PendingEvents(ctx, room, limit)
}

// Where a query fails, what came meanwhile is not processed before what it would have returned.
func TestFailedReadOfEvents(t *testing.T) {
	t.Parallel()
	var fail atomic.Bool
	f := newFixture(t, func(m Messages) Messages { return failingReads{m, &fail} })
	f.stay()
	f.settle()
	fail.Store(true)
	f.set.Reread(f.room)
	f.write(t, 0, 20)
	if rows, err := f.store.ByNetworkID(t.Context(), f.room, "m0"); err != nil || len(rows) != 0 {
		t.Errorf("%+v, %v", rows, err)
	}
	fail.Store(false)
	for i := range 20 {
		f.wait(t, i)
	}
}
