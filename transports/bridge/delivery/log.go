package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// maxNoted is how many events are noted in the file before they are marked in the database.
const maxNoted = 4096

// Store has the events whose messages are to be delivered.
type Store interface {
	ReadyEvents(ctx context.Context) ([]tables.Event, error)
	MarkDelivered(ctx context.Context, seqs []int64) error
}

// Server takes messages.
type Server interface {
	// SendAll sends several in a row and calls done, from any goroutine, once they are safe
	// from a crash of this process: kept by the server's stages, or taken by the sockets.
	SendAll(list []*stanza.Stanza, done func(error))
}

// Message is a message as a ready event keeps it.
type Message struct {
	To      jid.JID `json:"to"`
	From    jid.JID `json:"from"`
	ID      string  `json:"id"`
	Type    string  `json:"type"`
	Payload string  `json:"x"`
}

// Keep makes a Message of a stanza.
func Keep(st *stanza.Stanza) Message {
	return Message{To: st.To, From: st.From, ID: st.ID, Type: st.Type, Payload: st.Payload}
}

func (m Message) stanza() *stanza.Stanza {
	return &stanza.Stanza{Kind: stanza.Message, To: m.To, From: m.From, ID: m.ID, Type: m.Type, Payload: m.Payload}
}

// Log hands messages to the server and notes which it has.
type Log struct {
	env    *gateway.Env
	store  Store
	server Server
	// kept reports whether the server has a message of the last run already.
	kept  func(context.Context, *stanza.Stanza) (bool, error)
	noted map[int64]bool // what the files of the last run held

	mu    sync.Mutex
	files *files
	fresh []int64 // in the newer file

	flushing sync.Mutex
	older    []int64 // in the older file; owned by the flush under way
}

// Open opens the files at path, which are made where there are none.
func Open(path string, env *gateway.Env, store Store, server Server, kept func(context.Context, *stanza.Stanza) (bool, error)) (*Log, error) {
	f, noted, err := openFiles(path)
	if err != nil {
		return nil, err
	}
	return &Log{env: env, store: store, server: server, kept: kept, noted: noted, files: f}, nil
}

// Deliver hands the messages of an event to the server, and notes it when they are safe there.
func (l *Log) Deliver(seq int64, list []Message) {
	stanzas := make([]*stanza.Stanza, len(list))
	for i, m := range list {
		stanzas[i] = m.stanza()
	}
	l.server.SendAll(stanzas, func(err error) {
		if err != nil {
			l.env.Log.Error("a message was not taken; it is delivered at the next start", "seq", seq, "error", err)
			return
		}
		l.note(seq)
	})
}

func (l *Log) note(seq int64) {
	l.mu.Lock()
	n, err := l.files.add(seq)
	l.fresh = append(l.fresh, seq)
	l.mu.Unlock()
	if err != nil && !errors.Is(err, fs.ErrClosed) {
		l.env.Log.Error("a message may come twice after a crash", "error", err)
	}
	if n > 0 && n%maxNoted == 0 {
		l.env.Group.Go(l.Flush)
	}
}

// Flush marks in the database what was delivered, and begins a new file.
func (l *Log) Flush(ctx context.Context) {
	if !l.flushing.TryLock() {
		return
	}
	defer l.flushing.Unlock()
	if len(l.older) == 0 {
		if err := l.rotate(); err != nil {
			l.env.Log.Error("rotating the delivery log", "error", err)
			return
		}
	}
	if len(l.older) == 0 {
		return
	}
	if err := l.store.MarkDelivered(ctx, l.older); err != nil {
		if ctx.Err() == nil {
			l.env.Log.Error("marking messages as delivered", "error", err)
		}
		return
	}
	l.older = l.older[:0]
	if err := l.files.removeOld(); err != nil {
		l.env.Log.Error("removing the old delivery log", "error", err)
	}
}

func (l *Log) rotate() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.fresh) == 0 {
		return nil
	}
	if err := l.files.rotate(); err != nil {
		return err
	}
	l.older, l.fresh = append(l.older, l.fresh...), l.fresh[:0]
	return nil
}

// Close closes the files; what is delivered later is not noted.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.files.close()
}

// Recover delivers what a crash left between the commit and the server, in order. It is called once,
// before anything else is delivered.
func (l *Log) Recover(ctx context.Context) error {
	events, err := l.store.ReadyEvents(ctx)
	if err != nil {
		return err
	}
	var noted []int64
	for _, e := range events {
		if l.noted[e.Seq] {
			noted = append(noted, e.Seq)
		}
	}
	if len(noted) > 0 {
		if err := l.store.MarkDelivered(ctx, noted); err != nil {
			return err
		}
	}
	if err := l.files.reset(); err != nil {
		return err
	}
	for _, e := range events {
		if l.noted[e.Seq] {
			continue
		}
		if err := l.redeliver(ctx, e); err != nil {
			return err
		}
	}
	l.noted = nil
	return nil
}

// redeliver leaves out what the server has all the same, where the crash came between its write and
// our note.
func (l *Log) redeliver(ctx context.Context, e tables.Event) error {
	var list, missing []Message
	if err := json.Unmarshal(e.Deliveries, &list); err != nil {
		l.env.Log.Error("a kept message cannot be read", "seq", e.Seq, "error", err)
		return nil
	}
	for _, m := range list {
		kept, err := l.kept(ctx, m.stanza())
		if err != nil {
			return fmt.Errorf("look whether a message is kept: %w", err)
		}
		if !kept {
			missing = append(missing, m)
		}
	}
	l.Deliver(e.Seq, missing)
	return nil
}
