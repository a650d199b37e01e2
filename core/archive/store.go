package archive

import (
	"context"
	"errors"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/search"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// ErrNoEntry is returned by a Store for an id that is not in the archive, or cannot be a position in it.
var ErrNoEntry = errors.New("no such entry in the archive")

// ErrTwice is returned for an entry whose id the archive has already.
var ErrTwice = errors.New("a message with this id is in the archive already")

// Store holds archives, each of one bare JID. Within an archive the order is that of
// arrival; ids are unique and never used again (XEP-0313 §3.1, §6.2).
type Store interface {
	// Query gives one page of the entries that match, in the order of the archive. Page.After, Page.Before,
	// Filter.AfterID and Filter.BeforeID are positions: an entry that a client knows may have been deleted, or lost
	// in a crash. Where the id cannot be of this archive, or one of Filter.IDs is not there or is hidden from the
	// asker, it returns ErrNoEntry.
	Query(ctx context.Context, archive jid.JID, f Filter, p Page) (Result, error)
	// Ends returns the first and the last entry; their ids are "" if the archive is empty.
	Ends(ctx context.Context, archive jid.JID) (first, last Mark, err error)
}

// Filter selects entries. Zero fields select all.
type Filter struct {
	// With is the other side: the sender in a room, the sender or receiver in an account's
	// archive. A bare JID matches with any resource. Where it is the archive's own JID, both
	// sides must be it (XEP-0313 §4.1.1).
	With       jid.JID
	Start, End time.Time // inclusive
	AfterID    string    // exclusive
	BeforeID   string    // exclusive
	IDs        []string
	Groupchat  *bool         // whether groupchat messages of an account's archive are wanted; nil is not said
	Words      *search.Query // what the text of the messages has (XEP-0431); nil is not said
}

// Page selects a part of the entries that match.
type Page struct {
	Max int // entries; 0 asks for the count alone
	// Bytes limits the sum of the stanzas: the page ends with the entry that reaches it, and is not Complete unless that is the
	// last one. 0 is no limit. A Store may ignore it.
	Bytes  int
	After  string // exclusive; "" is from the beginning
	Before string // exclusive; "" is to the end
	// Backwards asks for the last Max entries of the part instead of the first. The
	// entries are in the order of the archive all the same.
	Backwards bool
}

// MaxCount is how many entries a Store counts at most for a client that asks for the count alone, since it reads all of them for
// that: more are paging.Unknown. A client gets no <count/> then (XEP-0059 §2.7: a count that is expensive may be left out).
const MaxCount = 100_000

// Result is one page.
type Result struct {
	Entries []Entry
	// Complete says that nothing that matches is left out, in the direction of paging.
	Complete bool
	Unstable bool // may read differently later (XEP-0313 §4.3.2)
	// Reached is the id of the last entry that was examined, where the Store has examined as many as it does for one
	// query: the page ends there, although few entries or none match. It is not Complete then.
	Reached string
	Count   int // of all that match, or paging.Unknown
	Index   int // of the first entry among all that match, or paging.Unknown
}

// Entry is one archived message. That of a room comes from room/nick and has no receiver;
// it carries its occupant-id (XEP-0421) and no data about real addresses.
type Entry struct {
	ID     string
	At     time.Time
	Stanza *stanza.Stanza // nil if the message was deleted and only its id remains (XEP-0313 §3.2)
}

// Mark is the first or the last entry of an archive.
type Mark struct {
	ID string
	At time.Time
}

// PrefsStore is a Store that keeps preferences (XEP-0441).
type PrefsStore interface {
	Prefs(ctx context.Context, archive jid.JID) (Prefs, error)
	SetPrefs(ctx context.Context, archive jid.JID, p Prefs) error
}
