package recorder

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/transports"
)

// patience is how long a test waits before it fails.
const patience = 20 * time.Second

// Sink keeps what a client delivers. Whoever looks at a field holds the lock, as Await does
// while it asks.
type Sink struct {
	sync.Mutex
	Events  []transports.Event
	Reached transports.State    // the last state
	States  int                 // how many states were reported
	Cause   error               // of it
	Causes  []error             // of all states that had one
	Finals  int                 // states after which nothing comes
	Resyncs int                 // of all rooms
	Missed  []transports.RoomID // where something was missed
	Refuse  int                 // how many deliveries fail first
	Saved   json.RawMessage
	Notices []string // each as "key: text"

	changed chan struct{}
}

// New makes a Sink that has received nothing.
func New() *Sink { return &Sink{changed: make(chan struct{}, 1)} }

// Note changes fields under the lock and wakes Await.
func (k *Sink) Note(f func()) {
	k.Lock()
	f()
	k.Unlock()
	select {
	case k.changed <- struct{}{}:
	default:
	}
}

// Deliver implements transports.Sink.
func (k *Sink) Deliver(_ context.Context, e transports.Event) (err error) {
	k.Note(func() {
		if k.Refuse > 0 {
			k.Refuse--
			err = context.DeadlineExceeded
			return
		}
		k.Events = append(k.Events, e)
	})
	return err
}

// TakeKeys returns the keys of the events since the last time.
func (k *Sink) TakeKeys() map[string]bool {
	k.Lock()
	defer k.Unlock()
	all := map[string]bool{}
	for _, e := range k.Events {
		all[e.Key] = true
	}
	k.Events = nil
	return all
}

// State implements transports.Sink.
func (k *Sink) State(s transports.State, cause error) {
	k.Note(func() {
		k.Reached, k.Cause = s, cause
		k.States++
		if cause != nil {
			k.Causes = append(k.Causes, cause)
		}
		if s == transports.NeedsLogin || s == transports.Failed {
			k.Finals++
		}
	})
}

// Resynced implements transports.Sink.
func (k *Sink) Resynced(rooms ...transports.RoomID) {
	k.Note(func() {
		if len(rooms) == 0 {
			k.Resyncs++
		}
		k.Missed = append(k.Missed, rooms...)
	})
}

// Save implements transports.Sink.
func (k *Sink) Save(state json.RawMessage) { k.Note(func() { k.Saved = state }) }

// Rotate implements transports.Sink.
func (k *Sink) Rotate(context.Context, []byte) error { return nil }

// Notice implements transports.Noticer.
func (k *Sink) Notice(key, text string) {
	k.Note(func() { k.Notices = append(k.Notices, key+": "+text) })
}

// Await waits until ok, which is called under the lock, returns true.
func (k *Sink) Await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for {
		k.Lock()
		done := ok()
		k.Unlock()
		if done {
			return
		}
		select {
		case <-k.changed:
		case <-time.After(50 * time.Millisecond): // what ok looks at may be elsewhere
		case <-deadline:
			k.Lock()
			defer k.Unlock()
			t.Fatalf("no %s; state %v (%v), events:\n%s", what, k.Reached, k.Cause, Dump(k.Events))
		}
	}
}

// Gap returns what waits until the client is online and has reported again, since Gap was called,
// that something may have been missed everywhere.
func (k *Sink) Gap(t testing.TB) (reported func()) {
	k.Lock()
	before := k.Resyncs
	k.Unlock()
	return func() {
		t.Helper()
		k.Await(t, "resync", func() bool { return k.Reached == transports.Online && k.Resyncs > before })
	}
}

// Event waits for an event whose line begins like that.
func (k *Sink) Event(t testing.TB, line string) transports.Event {
	t.Helper()
	var found transports.Event
	k.Await(t, line, func() bool {
		i := slices.IndexFunc(k.Events, func(e transports.Event) bool { return strings.HasPrefix(Line(e), line) })
		if i >= 0 {
			found = k.Events[i]
		}
		return i >= 0
	})
	return found
}

// All are the events with exactly that line.
func (k *Sink) All(line string) []transports.Event {
	return slices.DeleteFunc(k.Snapshot(), func(e transports.Event) bool { return Line(e) != line })
}

// Snapshot are all events so far.
func (k *Sink) Snapshot() []transports.Event {
	k.Lock()
	defer k.Unlock()
	return slices.Clone(k.Events)
}

// Line is an event in short: its kind, and what is said.
func Line(e transports.Event) string {
	switch b := e.Body.(type) {
	case transports.Message:
		return "message " + b.Text.Styling()
	case transports.Edit:
		return "edit " + b.Text.Styling()
	case transports.Reactions:
		if b.ClearedAll || len(b.Cleared) > 0 {
			return strings.TrimSpace("reactions cleared " + strings.Join(b.Cleared, ","))
		}
		return "reactions +" + strings.Join(b.Add, ",") + " -" + strings.Join(b.Remove, ",")
	}
	return transports.BodyKind(e.Body)
}

// Dump is a line for each event, with its key.
func Dump(events []transports.Event) string {
	var b strings.Builder
	for _, e := range events {
		b.WriteString(e.Key + " " + Line(e) + "\n")
	}
	return b.String()
}
