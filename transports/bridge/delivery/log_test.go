package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

var (
	domain = jid.MustParse("echo.example.org")
	ann    = jid.MustParse("ann@example.org")
)

// run is a gateway's delivery log on a database that other runs have used before, and a server around it.
type run struct {
	*testing.T
	store *tables.Store
	log   *Log
	close func()

	sent, archived []string
	outcome        func(taken func(), done func(error)) // of SendAll
	waits          string
	archiveFault   error
}

func (r *run) SendAll(list []*stanza.Stanza, taken func(), done func(error)) {
	for _, st := range list {
		r.sent = append(r.sent, st.ID)
	}
	if r.outcome != nil {
		r.outcome(taken, done)
	}
}

// start begins a run in a directory.
func start(t *testing.T, dir string) *run {
	t.Helper()
	r := &run{T: t}
	db, err := store.Open(t.Context(), store.Options{URL: storetest.InDir(t, dir)})
	r.check(err)
	database, err := tables.Open(t.Context(), db)
	r.check(err)
	r.store, err = database.Gateway(t.Context(), domain)
	r.check(err)
	env := &gateway.Env{Domain: domain, Log: slog.New(slog.DiscardHandler)}
	env.Group = gateway.NewGroup(func(string) {})
	env.Group.Start(context.Background())
	r.log = New(filepath.Join(dir, "log"), env, r.store, r, Kept{
		Waits: func(_ context.Context, st *stanza.Stanza) (bool, error) { return st.ID == r.waits, nil },
		Archive: func(_ context.Context, st *stanza.Stanza) error {
			if st.Entry == "" {
				t.Errorf("%s has no id in the archive", st.ID)
			}
			if r.archiveFault == nil {
				r.archived = append(r.archived, st.ID)
			}
			return r.archiveFault
		},
	})
	r.close = func() {
		env.Group.Stop()
		env.Group.Wait()
		r.check(r.log.Close())
		r.check(db.Close())
	}
	return r
}

func (r *run) check(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// add stores events that are ready to be delivered, and returns their numbers.
func (r *run) add(n int) (seqs []int64) {
	r.Helper()
	first, _, err := r.store.LastNumber(r.Context())
	r.check(err)
	room, err := r.store.PutRoom(r.Context(), tables.Room{Key: "plaza", Net: "plaza", Kind: transports.Direct})
	r.check(err)
	var events []tables.Event
	var ready []tables.EventUpdate
	for i := range n {
		seq := first + int64(i) + 1
		seqs = append(seqs, seq)
		events = append(events, tables.Event{Seq: seq, Room: room.ID, Key: fmt.Sprint(i), Kind: "message", Data: []byte("{}"), Position: seq})
		message := fmt.Sprintf(`[{"to":%q,"from":"cleo@echo.example.org","id":"m%d","type":"chat","x":"","entry":"e%d"}]`, ann, i, i)
		ready = append(ready, tables.EventUpdate{Seq: seq, State: tables.EventReady, Position: seq, Deliveries: []byte(message)})
	}
	_, err = r.store.Receive(r.Context(), events, nil)
	r.check(err)
	r.check(r.store.Commit(r.Context(), &tables.Batch{Inbox: tables.InboxBatch{Events: ready}}))
	return seqs
}

func (r *run) expect(what string, got []string, want ...string) {
	r.Helper()
	if !slices.Equal(got, want) {
		r.Errorf("%s: %q, want %q", what, got, want)
	}
}

// An event that a socket has taken is not delivered again after a crash, and archived if that was still under way.
func TestRecover(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := start(t, dir)
	seqs := r.add(5)
	r.waits = "m0"
	r.check(r.log.Recover(t.Context())) // what is found at the start is sent, and its outcome never known
	r.expect("sent", r.sent, "m1", "m2", "m3", "m4")
	for i, outcome := range []func(taken func(), done func(error)){
		func(taken func(), _ func(error)) { taken() },
		func(_ func(), done func(error)) { done(nil) },
		func(taken func(), done func(error)) { taken(); done(nil) },
		func(_ func(), done func(error)) { done(errors.New("disk full")) },
		func(taken func(), done func(error)) { taken(); done(errors.New("disk full")) },
	} {
		r.outcome = outcome
		r.log.Deliver(seqs[i], nil)
	}
	r.close()

	r = start(t, dir)
	r.check(r.log.Recover(t.Context()))
	r.expect("archived", r.archived, "m0", "m2", "m4")
	r.expect("sent again", r.sent, "m3")
	r.close()

	r = start(t, dir)
	r.check(r.log.Recover(t.Context()))
	r.expect("archived", r.archived)
	r.expect("sent again", r.sent, "m3")
	r.close()
}

// Flush marks in the inbox what is done; what a socket has taken stays noted until it is archived.
func TestFlush(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := start(t, dir)
	r.check(r.log.Recover(t.Context()))
	seqs := r.add(200) // more than the database answers to at once
	for i, seq := range seqs {
		r.outcome = func(taken func(), done func(error)) {
			taken()
			if i > 0 {
				done(nil)
			}
		}
		r.log.Deliver(seq, nil)
	}
	r.log.Flush(t.Context())
	left, err := r.store.ReadyEvents(t.Context())
	r.check(err)
	if len(left) != 1 || left[0].Seq != seqs[0] {
		t.Errorf("%d events are not done", len(left))
	}
	marked, err := r.store.Marked(t.Context())
	r.check(err)
	if want := 0; storetest.OnPostgres() {
		if want = 1; len(marked) != want {
			t.Errorf("%d marks are left, want %d", len(marked), want)
		}
	}
	r.close()
	r = start(t, dir)
	r.check(r.log.Recover(t.Context()))
	r.expect("archived", r.archived, "m0")
	r.expect("sent again", r.sent)
	r.close()
}

// Files of an earlier run are read once. With PostgreSQL there are none afterwards.
func TestFilesOfAnEarlierRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	r := start(t, dir)
	seqs := r.add(3)
	old := &files{path: path}
	r.check(old.start(t.Context()))
	r.check(old.add(seqs[0], true))
	r.check(old.rotate())
	r.check(old.add(seqs[2], true))
	r.check(old.close())
	r.check(r.log.Recover(t.Context()))
	r.expect("sent", r.sent, "m1")
	if _, err := os.Stat(path); storetest.OnPostgres() != errors.Is(err, os.ErrNotExist) {
		t.Error("the file:", err)
	}
	if _, err := os.Stat(oldPath(path)); !errors.Is(err, os.ErrNotExist) {
		t.Error("the old file:", err)
	}
	r.close()
}

// What the server could not take or archive is repeated while the gateway runs, in order.
func TestRepeat(t *testing.T) {
	t.Parallel()
	r := start(t, t.TempDir())
	seqs := r.add(4)
	full := errors.New("disk full")
	fails := func(_ func(), done func(error)) { done(full) }
	r.outcome = fails
	r.check(r.log.Recover(t.Context()))
	r.expect("sent", r.sent, "m0", "m1", "m2", "m3")
	r.log.Flush(t.Context())
	r.expect("sent again, in vain", r.sent[4:], "m0", "m1", "m2", "m3")
	r.waits = "m1" // the server had it all the same
	r.outcome = func(taken func(), done func(error)) { taken(); done(full) }
	r.log.Flush(t.Context())
	r.expect("sent again and taken", r.sent[8:], "m0", "m2", "m3")
	r.outcome = fails
	r.archiveFault = full
	r.log.Flush(t.Context())
	r.expect("not archived", r.archived)
	r.archiveFault = nil
	r.log.Flush(t.Context())
	r.expect("archived", r.archived, "m0", "m2", "m3")
	r.log.Flush(t.Context())
	r.expect("sent", r.sent[11:])
	left, err := r.store.ReadyEvents(t.Context())
	r.check(err)
	if len(left) > 0 {
		t.Errorf("%d of %d events are not done", len(left), len(seqs))
	}
	r.close()
}
