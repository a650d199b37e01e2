package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Recover delivers and archives what a crash left between the commit and the server, in order. It is called once,
// before anything else is delivered.
func (l *Log) Recover(ctx context.Context) error {
	noted, err := readFiles(l.path)
	if err == nil && l.marks != nil {
		err = l.marks.Sync(ctx) // afterwards the last run's marks are in the table
	}
	if err != nil {
		return err
	}
	marked, err := l.store.Marked(ctx)
	if err != nil {
		return err
	}
	for seq, archived := range marked {
		noted[seq] = noted[seq] || archived
	}
	events, err := l.store.ReadyEvents(ctx)
	if err != nil {
		return err
	}
	missing, err := l.complete(ctx, events, noted)
	if err != nil {
		return err
	}
	if len(marked) > 0 {
		if err := l.store.ClearMarks(ctx); err != nil {
			return err
		}
	}
	if err := removeFiles(l.path); err != nil {
		return err
	}
	if err := l.notes.start(ctx); err != nil {
		return err
	}
	for _, e := range missing {
		if list := l.messages(e); list != nil {
			if err := l.redeliver(ctx, event{e.Seq, list}); err != nil {
				return err
			}
		}
	}
	return nil
}

// complete ends the events whose messages were taken, and returns the others.
func (l *Log) complete(ctx context.Context, events []tables.Event, noted map[int64]bool) (missing []tables.Event, err error) {
	var done []int64
	for _, e := range events {
		archived, ok := noted[e.Seq]
		if !ok {
			missing = append(missing, e)
			continue
		}
		if !archived {
			if err := l.archive(ctx, l.messages(e)); err != nil {
				return nil, err
			}
		}
		done = append(done, e.Seq)
	}
	if len(done) > 0 {
		err = l.store.MarkDelivered(ctx, done)
	}
	return missing, err
}

// archive archives messages that a socket has taken, and that may not be archived.
func (l *Log) archive(ctx context.Context, list []Message) error {
	if l.kept.Archive == nil {
		return nil
	}
	for _, m := range list {
		if err := l.kept.Archive(ctx, m.stanza()); err != nil {
			return fmt.Errorf("archive a message that was delivered: %w", err)
		}
	}
	return nil
}

// redeliver delivers an event again, without the messages that the server has stored: the crash or the failure may have
// come between that and our note.
func (l *Log) redeliver(ctx context.Context, e event) error {
	var missing []Message
	for _, m := range e.list {
		waits := false
		if l.kept.Waits != nil {
			var err error
			if waits, err = l.kept.Waits(ctx, m.stanza()); err != nil {
				return fmt.Errorf("look whether a message is kept: %w", err)
			}
		}
		if !waits {
			missing = append(missing, m)
		}
	}
	l.Deliver(e.seq, missing)
	return nil
}

// repeat delivers or archives again what has failed, in order, until something fails. Its caller has flushing.
func (l *Log) repeat(ctx context.Context) {
	l.mu.Lock()
	list := l.failed
	l.failed = nil
	l.mu.Unlock()
	for i, e := range list {
		if err := l.attempt(ctx, e); err != nil {
			l.mu.Lock()
			l.failed = append(slices.Clone(list[i:]), l.failed...)
			l.mu.Unlock()
			l.env.Log.Debug("delivering a message again", "seq", e.seq, "error", err)
			return
		}
	}
}

func (l *Log) attempt(ctx context.Context, e event) error {
	l.mu.Lock()
	taken := l.taken[e.seq]
	l.mu.Unlock()
	if !taken {
		return l.redeliver(ctx, e)
	}
	if err := l.archive(ctx, e.list); err != nil {
		return err
	}
	l.noteDone(e.seq)
	return nil
}

// messages are those of an event; nil where they cannot be read.
func (l *Log) messages(e tables.Event) (list []Message) {
	if err := json.Unmarshal(e.Deliveries, &list); err != nil {
		l.env.Log.Error("a message to be delivered cannot be read", "seq", e.Seq, "error", err)
		return nil
	}
	return list
}
