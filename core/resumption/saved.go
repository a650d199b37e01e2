package resumption

import (
	"context"
	"errors"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Saved is what is stored about a session.
type Saved struct {
	ID     ID
	JID    jid.JID       // full
	Client string        // the id that the client gave with its login, or ""
	Max    time.Duration // how long it can be resumed after a restart
	Facts  []byte        // router.Facts
	Progress
}

// Progress is the part of Saved that changes with the stanzas.
type Progress struct {
	Handled uint32 // stanzas of the client; the client was not told a higher number
	Acked   uint32 // stanzas to the client; it has acknowledged at least so many
	// After is a time before which all archived messages have reached the client.
	After time.Time
}

// Stanza is a stored stanza that the client has not acknowledged.
type Stanza struct {
	ID     string
	Number uint32 // not lower than its number on the stream
	At     time.Time
	Stanza *stanza.Stanza
}

// Store stores sessions. Its methods do not wait.
type Store interface {
	// SaveSession stores a session, or replaces what is stored. session is called when it is written; done may be nil.
	SaveSession(account jid.JID, session func() Saved, done func(error))
	// SaveProgress changes a stored session; with a nil handled Progress.Handled stays.
	SaveProgress(account jid.JID, name string, p Progress, handled *uint32, done func(error))
	// KeepStanza stores a stanza of a stored session.
	KeepStanza(account jid.JID, name string, st Stanza)
	ForgetStanzas(account jid.JID, name string, ids []string)
	// EndSession deletes a session with its stanzas.
	EndSession(account jid.JID, name string)
}

// Archive is where sessions are restored from.
type Archive interface {
	// Suspend stores a stored session again, and all its stanzas in place of those that are stored; ErrNoSession if it was revoked.
	Suspend(ctx context.Context, s Saved, list []Stanza) error
	// Suspended reads a session of an account; ErrNoSession if there is none of that name.
	Suspended(ctx context.Context, account jid.JID, name string) (Saved, []Stanza, error)
	// SuspendedBefore lists sessions, by account and name, that no server has continued since a time.
	SuspendedBefore(ctx context.Context, start time.Time, limit int) ([]Saved, error)
	// ArchivedSince reads the messages of an account's archive from a time on; more says that there are more than limit.
	ArchivedSince(ctx context.Context, account jid.JID, from time.Time, limit int) (list []archive.Entry, more bool, err error)
}

// ErrNoSession is returned for a session that is not stored.
var ErrNoSession = errors.New("no such session")
