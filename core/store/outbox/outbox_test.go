package outbox

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// database is a database that is opened again and again.
type database struct {
	t   *testing.T
	dir string // to which the database belongs
	*store.Store
	*Outbox
}

func open(t *testing.T) *database {
	t.Helper()
	d := &database{t: t, dir: t.TempDir()}
	d.open()
	t.Cleanup(d.close)
	return d
}

func (d *database) open() {
	d.t.Helper()
	var err error
	d.Store, err = store.Open(context.Background(), store.Options{URL: storetest.InDir(d.t, d.dir), BusyTimeout: 100 * time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		d.t.Fatal(err)
	}
	d.Outbox = New(d.Store, slog.New(slog.DiscardHandler))
}

func (d *database) close() {
	d.t.Helper()
	_ = d.Flush(context.Background())
	if err := d.Close(); err != nil {
		d.t.Error(err)
	}
}

// message is one to a domain, with a text that is also its id.
func message(from, to, text string) *stanza.Stanza {
	st := stanza.NewMessage(jid.MustParse(to), jid.MustParse(from), stanza.TypeChat, stanza.TextElement(stanza.NSClient, "body", text))
	st.ID = text
	return st
}

// add adds messages at the same time, and waits until they are written.
func (d *database) add(list ...*stanza.Stanza) (remove []func()) {
	d.t.Helper()
	var all sync.WaitGroup
	all.Add(len(list))
	for _, st := range list {
		remove = append(remove, d.Add(st, func(err error) {
			if err != nil {
				d.t.Errorf("%s: %v", st.ID, err)
			}
			all.Done()
		}))
	}
	all.Wait()
	return remove
}

// left returns what a next process would send, with the functions that remove it.
func (d *database) left() (texts []string, remove map[string]func()) {
	d.t.Helper()
	remove = map[string]func(){}
	err := d.Load(d.t.Context(), func(st *stanza.Stanza, at time.Time, r func()) {
		if since := time.Since(at); since < -time.Second || since > time.Hour {
			d.t.Errorf("%s is from %v", st.ID, at)
		}
		texts = append(texts, st.To.Domain()+" "+st.Body())
		remove[st.Body()] = r
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return texts, remove
}

func (d *database) want(want ...string) map[string]func() {
	d.t.Helper()
	got, remove := d.left()
	slices.SortStableFunc(got, func(a, b string) int { // there is no order between domains
		return strings.Compare(strings.Fields(a)[0], strings.Fields(b)[0])
	})
	if !slices.Equal(got, want) {
		d.t.Errorf("%q are left, want %q", got, want)
	}
	return remove
}

// rows returns the number of rows of the table.
func (d *database) rows() (n int) {
	d.t.Helper()
	if err := d.Reader().QueryRowContext(d.t.Context(), `SELECT count(*) FROM remote_outbox`).Scan(&n); err != nil {
		d.t.Fatal(err)
	}
	return n
}

// What is not removed is there after the end of the process, in order for each pair, and nothing else.
func TestLeft(t *testing.T) {
	t.Parallel()
	d := open(t)
	const alice, bob, other = "alice@home.test/x", "juliet@one.test", "juliet@two.test"
	first := d.add(message(alice, bob, "a"), message(alice, other, "b"), message(alice, bob, "c"))
	second := d.add(message(alice, bob, "d"))
	first[0]()
	first[0]() // once more
	second[0]()
	d.close()
	d.open()
	d.want("one.test c", "two.test b")
	d.add(message(alice, bob, "e"))
	d.close()
	d.open()
	remove := d.want("one.test c", "one.test e", "two.test b")
	for _, f := range remove {
		f()
	}
	if err := d.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := d.rows(); n != 0 {
		t.Errorf("%d rows", n)
	}
}

// Rows have as many messages as there are bits, and no more bytes than one of them needs.
func TestRows(t *testing.T) {
	t.Parallel()
	d := open(t)
	held := make(chan struct{})
	d.Partition("one.test").WriteAsync(func(*sql.Tx) error { <-held; return nil }, nil) // so that all are written together
	var all sync.WaitGroup
	var want []string
	var remove []func()
	add := func(text string) {
		all.Add(1)
		want = append(want, "one.test "+text)
		remove = append(remove, d.Add(message("alice@home.test/x", "juliet@one.test", text), func(err error) {
			if err != nil {
				t.Error(err)
			}
			all.Done()
		}))
	}
	for i := range 2*maxMessages + 1 {
		add(fmt.Sprint(i))
	}
	add(strings.Repeat("x", maxBytes))
	close(held)
	all.Wait()
	if n := d.rows(); n != 4 {
		t.Errorf("%d rows", n)
	}
	d.want(want...)
	for i := range maxMessages {
		remove[i]()
	}
	remove[2*maxMessages-1]() // the last bit
	if err := d.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := d.rows(); n != 3 {
		t.Errorf("%d rows are left", n)
	}
	d.want(slices.Concat(want[maxMessages:2*maxMessages-1], want[2*maxMessages:])...)
}

// What is removed before it was written is not written.
func TestRemovedBefore(t *testing.T) {
	t.Parallel()
	d := open(t)
	held, done := make(chan struct{}), make(chan error, 1)
	d.Partition("one.test").WriteAsync(func(*sql.Tx) error { <-held; return nil }, nil)
	remove := d.Add(message("alice@home.test/x", "juliet@one.test", "a"), func(err error) { done <- err })
	remove()
	close(held)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := d.rows(); n != 0 {
		t.Errorf("%d rows", n)
	}
}

// What is done with is deleted soon, also where nothing else is written.
func TestRemovedSoon(t *testing.T) {
	t.Parallel()
	d := open(t)
	begun := time.Now()
	for range 6 {
		for _, f := range d.add(message("alice@home.test/x", "juliet@one.test", "a"), message("alice@home.test/x", "juliet@one.test", "b")) {
			f()
		}
		for end := time.Now().Add(time.Minute); d.rows() > 0; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the row is still there")
			}
		}
	}
	if took := time.Since(begun); took > 3*retryWait {
		t.Errorf("rows were there for %v", took)
	}
}

// A locked database: the sender is told that it can be tried again; what was removed meanwhile is deleted later.
func TestLocked(t *testing.T) {
	t.Parallel()
	d := open(t)
	remove := d.add(message("alice@home.test/x", "juliet@one.test", "a"))
	release := storetest.Lock(t, storetest.DB(t, d.dir))
	defer release()
	remove[0]()
	refused := make(chan error, 1)
	d.Add(message("alice@home.test/x", "juliet@one.test", "b"), func(err error) { refused <- err })
	if err := <-refused; !stanza.Temporary(err) {
		t.Errorf("refused with %v", err)
	}
	if err := d.Flush(t.Context()); err == nil {
		t.Error("flushed")
	}
	release()
	if err := d.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	if n := d.rows(); n != 0 {
		t.Errorf("%d rows", n)
	}
}

// A transaction that is repeated writes the messages once, and deletes again what it had deleted.
func TestRepeated(t *testing.T) {
	t.Parallel()
	d := open(t)
	remove := d.add(message("alice@home.test/x", "juliet@one.test", "a"))
	remove[0]()
	w := d.writer("one.test")
	e := &entry{writer: w, stanza: message("alice@home.test/x", "juliet@one.test", "b")}
	rows := []store.BulkRow[*entry]{{Value: e}}
	again := errors.New("again")
	for _, end := range []error{again, nil} {
		err := d.Write(t.Context(), func(tx *sql.Tx) error {
			if err := w.WriteRows(tx, rows); err != nil {
				return err
			}
			return end // an error undoes the transaction
		})
		if !errors.Is(err, end) {
			t.Fatal(err)
		}
	}
	w.Ended(1, nil)
	d.want("one.test b")
	if n := d.rows(); n != 1 {
		t.Errorf("%d rows", n)
	}
	e.remove()
	if err := d.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := d.rows(); n != 0 {
		t.Errorf("%d rows", n)
	}
}

// What cannot be read keeps nothing else from being sent.
func TestNotReadable(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.add(message("alice@home.test/x", "juliet@one.test", "a"))
	d.add(message("alice@home.test/x", "juliet@two.test", "b"))
	d.add(message("alice@home.test/x", "juliet@one.test", "c"))
	n := 0
	if err := d.Write(t.Context(), func(tx *sql.Tx) error {
		n++
		_, err := tx.Exec(`UPDATE remote_outbox SET messages = ? WHERE theirs = 'two.test'`, []byte("\x03<a>\xff\xff"))
		return err
	}); err != nil || n == 0 {
		t.Fatal(err)
	}
	d.want("one.test a", "one.test c")
	if err := d.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := d.rows(); n != 2 {
		t.Errorf("%d rows", n)
	}
}

// An account that is deleted leaves no text, and others lose nothing.
func TestDeletedAccount(t *testing.T) {
	t.Parallel()
	d := open(t)
	alice := jid.MustParse("alice@home.test")
	if err := d.CreateAccount(t.Context(), alice, sasl.Credentials{}); err != nil {
		t.Fatal(err)
	}
	d.add(message("alice@home.test/x", "juliet@one.test", "of alice"), message("bob@home.test/x", "juliet@one.test", "of bob"), message("alice@home.test/y", "juliet@one.test", "more"))
	if err := d.DeleteAccount(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	remove := d.want("one.test of bob")
	remove["of bob"]()
	if err := d.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := d.rows(); n != 0 {
		t.Errorf("%d rows", n)
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, bad := range [][]byte{{5, 'a'}, {0x80}, bytes.Repeat([]byte{0xff}, 11), bytes.Repeat([]byte{0}, maxMessages+1)} {
		if _, err := decode(bad); err == nil {
			t.Errorf("%x is accepted", bad)
		}
	}
}

// On a closed store nothing is promised.
func TestClosed(t *testing.T) {
	t.Parallel()
	d := open(t)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	refused := make(chan error, 1)
	d.Add(message("alice@home.test/x", "juliet@one.test", "a"), func(err error) { refused <- err })()
	if err := <-refused; !errors.Is(err, store.ErrClosed) {
		t.Error(err)
	}
}
