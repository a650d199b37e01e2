package delivery

import (
	"context"
	"errors"
	"io/fs"
	"sync"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/pipeline"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// maxNoted is how many events are noted before they are marked in bridge_inbox.
const maxNoted = 4096

// maxFailed is how many events are kept in memory for another attempt; what fails beyond that is delivered at the next start.
const maxFailed = 1000

// Store has the events whose messages are to be delivered.
type Store interface {
	ReadyEvents(ctx context.Context) ([]tables.Event, error)
	MarkDelivered(ctx context.Context, seqs []int64) error
	Marked(ctx context.Context) (map[int64]bool, error)
	ClearMarks(ctx context.Context) error
	NewMarks() *tables.Marks
}

// Server takes messages.
type Server interface {
	// SendAll sends several in a row and calls done, from any goroutine, once they are safe from a crash of this
	// process: taken by a socket or kept by the server, and archived where they are to be. It calls taken before that,
	// once, where a socket has taken them and the server is still writing.
	SendAll(list []*stanza.Stanza, taken func(), done func(error))
}

// Kept is what the server has stored of messages that were sent in the last run. The zero value is a server that cannot
// be asked.
type Kept struct {
	// Waits reports whether a message waits for its receiver, so that it must not be sent again. Where it does not, what
	// is stored of it is removed, if it would be stored once more.
	Waits func(context.Context, *stanza.Stanza) (bool, error)
	// Archive archives a message that its receiver has, unless it is archived already.
	Archive func(context.Context, *stanza.Stanza) error
}

// notes records which events were delivered: in files, or in the database (remote). All methods are called with
// Log.mu held, except start.
type notes interface {
	// start begins; Recover calls it when the last run's notes are no longer needed.
	start(ctx context.Context) error
	// add notes an event, and whether its messages are archived. It does not wait.
	add(seq int64, archived bool) error
	// rotate begins new notes; the older ones stay until forgetOld.
	rotate() error
	forgetOld() error
	close() error
}

// Message is a message as a ready event keeps it.
type Message struct {
	To      jid.JID `json:"to"`
	From    jid.JID `json:"from"`
	ID      string  `json:"id"`
	Type    string  `json:"type"`
	Payload string  `json:"x"`
	// Entry is its id in the receiver's archive: the same one whenever it is delivered.
	Entry string `json:"entry,omitempty"`
}

// Keep makes a Message of a stanza.
func Keep(st *stanza.Stanza) Message {
	st.GiveEntry()
	return Message{To: st.To, From: st.From, ID: st.ID, Type: st.Type, Payload: st.Payload, Entry: st.Entry}
}

func (m Message) stanza() *stanza.Stanza {
	return &stanza.Stanza{Kind: stanza.Message, To: m.To, From: m.From, ID: m.ID, Type: m.Type, Payload: m.Payload, Entry: m.Entry}
}

// event is one of the inbox with its messages.
type event struct {
	seq  int64
	list []Message
}

// Log delivers messages to the server and notes which it has.
type Log struct {
	env    *gateway.Env
	store  Store
	server Server
	kept   Kept
	path   string        // of the files, where they are used or an earlier run has left some
	marks  *tables.Marks // nil where files are used

	mu     sync.Mutex
	notes  notes
	taken  map[int64]bool // noted as taken by a socket, and not archived yet
	done   []int64        // since the last rotation
	failed []event

	flushing sync.Mutex
	older    []int64 // done before the last rotation, to be marked in the database; guarded by flushing
}

// New returns the log of a gateway. It is kept in files at path, or in the database if that is PostgreSQL.
func New(path string, env *gateway.Env, db Store, server Server, kept Kept) *Log {
	l := &Log{env: env, store: db, server: server, kept: kept, path: path, marks: db.NewMarks(), taken: map[int64]bool{}}
	if l.notes = (&files{path: path}); l.marks != nil {
		l.notes = &remote{marks: l.marks}
	}
	return l
}

// Deliver sends the messages of an event to the server, and notes it when they are safe there.
func (l *Log) Deliver(seq int64, list []Message) {
	stanzas := make([]*stanza.Stanza, len(list))
	for i, m := range list {
		stanzas[i] = m.stanza()
	}
	l.server.SendAll(stanzas, func() { l.noteTaken(seq) }, func(err error) {
		if err != nil {
			l.fail(event{seq, list}, err)
			return
		}
		l.noteDone(seq)
	})
}

// fail keeps an event whose messages were not taken, or not archived, for repeat.
func (l *Log) fail(e event, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.failed) >= maxFailed {
		l.env.Log.Error("message not delivered or not archived: it is repeated at the next start", "seq", e.seq, "error", err)
		return
	}
	l.failed = append(l.failed, e)
	l.env.Log.Warn("message not delivered or not archived: it is repeated soon", "seq", e.seq, "error", err)
}

// noteTaken notes that a socket has taken the messages of an event: they are not delivered again.
func (l *Log) noteTaken(seq int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken[seq] = true
	l.note(seq, false)
}

// noteDone notes that an event is done.
func (l *Log) noteDone(seq int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.taken[seq] { // noted already; whether they are archived the next start finds out from the archive
		delete(l.taken, seq)
	} else {
		l.note(seq, true)
	}
	l.done = append(l.done, seq)
	if len(l.done)%maxNoted == 0 {
		l.env.Group.Go(l.Flush)
	}
}

// note adds a note, and has the database synced when it is time. The lock is held.
func (l *Log) note(seq int64, archived bool) {
	err := l.notes.add(seq, archived)
	if r, ok := l.notes.(*remote); ok && r.due() {
		l.env.Group.Go(l.sync)
	}
	if err != nil && !errors.Is(err, fs.ErrClosed) && !errors.Is(err, pipeline.ErrLost) {
		l.env.Log.Error("delivery not noted: a message may be delivered twice after a crash", "error", err)
	}
}

// sync waits until the database has executed the notes.
func (l *Log) sync(ctx context.Context) {
	if l.marks == nil {
		return
	}
	if err := l.marks.Sync(ctx); err != nil && ctx.Err() == nil {
		l.env.Log.Warn("delivery log not written: messages may be delivered twice after a crash", "error", err)
	}
}

// Flush marks in the database what was delivered, begins new notes, and repeats what has failed.
func (l *Log) Flush(ctx context.Context) {
	if !l.flushing.TryLock() {
		return
	}
	defer l.flushing.Unlock()
	defer l.repeat(ctx)
	if len(l.older) == 0 {
		if err := l.rotate(); err != nil {
			l.env.Log.Error("delivery log not rotated", "error", err)
			return
		}
	}
	l.sync(ctx) // also to connect again
	if len(l.older) == 0 {
		return
	}
	if err := l.store.MarkDelivered(ctx, l.older); err != nil {
		if ctx.Err() == nil {
			l.env.Log.Error("messages not marked as delivered", "error", err)
		}
		return
	}
	l.older = l.older[:0]
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.notes.forgetOld(); err != nil {
		l.env.Log.Error("old delivery log not removed", "error", err)
	}
}

func (l *Log) rotate() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.done) == 0 {
		return nil
	}
	if err := l.notes.rotate(); err != nil {
		return err
	}
	for seq := range l.taken {
		l.note(seq, false)
	}
	l.older, l.done = append(l.older, l.done...), l.done[:0]
	return nil
}

// Close closes the notes; what is delivered later is not noted.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.notes.close()
}
