package conference

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Message is a message in the archive of a room.
type Message struct {
	Archive  int64  // number of the archive
	Position int64  // when it came, in microseconds since 1970; it rises from one message of an archive to the next
	ID       string // the room's id (XEP-0359)
	Message  string // the id that its sender has given
	Nick     string
	Occupant string // occupant-id of the sender; "" is the room itself
	Lang     string
	Extra    string // further attributes of the start tag
	Payload  string // without what the room adds
}

// At returns when the message came.
func (m *Message) At() time.Time { return time.UnixMicro(m.Position).UTC() }

// Stanza returns the message as the room sends it.
func (m *Message) Stanza(at jid.JID) *stanza.Stanza {
	from, payload := at, m.Payload
	if m.Nick != "" {
		if j, err := at.WithResource(m.Nick); err == nil {
			from = j
		}
	}
	if m.Occupant != "" {
		payload += stanza.Encode(stanza.NewElement("urn:xmpp:occupant-id:0", "occupant-id").With("id", m.Occupant)) // XEP-0421
	}
	payload += stanza.Encode(message.StanzaID(at, m.ID))
	return &stanza.Stanza{
		Kind: stanza.Message, From: from, ID: m.Message, Type: stanza.TypeGroupchat, Lang: m.Lang, Extra: m.Extra, Payload: payload,
	}
}

// Retraction replaces messages of an archive by what remains of them.
type Retraction struct {
	ID       string // of the message
	Occupant string // who has sent it, and retracts it; "" for a moderator, who may retract every message
	Payload  string // what remains
}

// Archived is what a room has to know of its archive.
type Archived struct {
	Number int64
	Last   int64     // position of the last message; 0 if there is none
	Recent []Message // the last messages, the oldest first
}

// Archives keeps the archives of rooms. An archive begins and ends with its room.
type Archives interface {
	// OpenArchive returns the state of a room's archive, with at most that many recent messages.
	OpenArchive(ctx context.Context, at jid.JID, recent int) (Archived, error)
	// Append writes a message, in the order of the calls for a room, and retracts others by r, if that is not nil. done gets the outcome
	// after the commit and must not block. Without a message it gets it when what was appended before is committed.
	Append(at jid.JID, m *Message, r *Retraction, done func(error))
	// Moderate is Append, but writes the message only if the one that is to be retracted is there, and waits.
	Moderate(ctx context.Context, at jid.JID, m *Message, r *Retraction) (found bool, err error)
	// Messages returns a page of an archive. The errors are those of archive.Store.
	Messages(ctx context.Context, number int64, f archive.Filter, p archive.Page) (Page, error)
	// PruneArchives deletes messages that came before a time (zero: none), the oldest ones beyond a number in each archive (0: none),
	// and those of rooms that were destroyed.
	PruneArchives(ctx context.Context, before time.Time, most int) error
}

// Page is a page of messages; the fields are those of archive.Result.
type Page struct {
	Messages     []Message
	Complete     bool
	Reached      string
	Count, Index int
}

// reader is the archive of a room as the archive engine reads it.
type reader struct {
	archives Archives
	at       jid.JID
	number   int64
}

var _ archive.Store = reader{}

// Query implements archive.Store.
func (r reader) Query(ctx context.Context, _ jid.JID, f archive.Filter, p archive.Page) (archive.Result, error) {
	page, err := r.archives.Messages(ctx, r.number, f, p)
	if err != nil {
		return archive.Result{}, err
	}
	result := archive.Result{Complete: page.Complete, Reached: page.Reached, Count: page.Count, Index: page.Index}
	for i := range page.Messages {
		m := &page.Messages[i]
		result.Entries = append(result.Entries, archive.Entry{ID: m.ID, At: m.At(), Stanza: m.Stanza(r.at)})
	}
	return result, nil
}

// Ends implements archive.Store.
func (r reader) Ends(ctx context.Context, _ jid.JID) (first, last archive.Mark, err error) {
	for _, end := range []struct {
		mark      *archive.Mark
		backwards bool
	}{{&first, false}, {&last, true}} {
		page, err := r.archives.Messages(ctx, r.number, archive.Filter{}, archive.Page{Max: 1, Backwards: end.backwards})
		if err != nil {
			return first, last, err
		}
		if len(page.Messages) > 0 {
			*end.mark = archive.Mark{ID: page.Messages[0].ID, At: page.Messages[0].At()}
		}
	}
	return first, last, nil
}
