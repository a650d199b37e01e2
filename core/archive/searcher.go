package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/search"
)

// Bounds of one page of a Searcher.
const (
	maxSearched  = 200 // archives
	searchTime   = 10 * time.Second
	excerptSize  = 160 // characters
	maxFoundPage = 50
	foundPage    = 20
)

// ErrSlow is returned for a search that took too long.
var ErrSlow = errors.New("the search took too long")

// Readable is the archive of a room that an account may read at the moment.
type Readable struct {
	JID   jid.JID
	Name  string // for people; may be empty
	Store Store
	// Confirm checks once more that the account may read the archive, after it was read and before anything of it is shown. It may ask a
	// network. An error hides what was found there.
	Confirm func(ctx context.Context) error
}

// Rooms knows the rooms of a domain.
type Rooms interface {
	// Readable returns the archives that an account may read now, at most limit; only that of one room where it is not zero.
	Readable(ctx context.Context, account, room jid.JID, limit int) ([]Readable, error)
}

// Searcher searches everything that an account may see: its own archive and those of rooms. It is safe for concurrent use.
type Searcher struct {
	own Store

	mu    sync.Mutex // never held while something is read
	rooms map[jid.JID]Rooms
}

// NewSearcher returns a searcher of the archives of accounts.
func NewSearcher(own Store) *Searcher { return &Searcher{own: own, rooms: map[jid.JID]Rooms{}} }

// Add adds the rooms of a domain, in place of others that it had.
func (s *Searcher) Add(domain jid.JID, r Rooms) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rooms[domain] = r
}

// Remove removes the rooms of a domain.
func (s *Searcher) Remove(domain jid.JID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rooms, domain)
}

// Question is what somebody searches for.
type Question struct {
	Account    jid.JID // bare; the caller has checked that it asks itself
	Words      search.Query
	With       jid.JID   // the contact or the room; zero: all
	Start, End time.Time // inclusive; zero: no bound
	Size       int       // of the page; 0: 20, at most 50
	After      *Position // where the page before has ended; nil: the newest
}

// Found is a message that was found.
type Found struct {
	ID           string // in its archive
	Archive      jid.JID
	At           time.Time
	Conversation jid.JID // the room or the contact
	Name         string  // of the room
	Author       string  // the nickname in a room, or else an address
	Excerpt      string
}

// FoundPage is a page of what was found, the newest first.
type FoundPage struct {
	List []Found
	Next *Position // for the next page; nil where nothing is left
	// Partial says that not all archives were searched: the account sees too many rooms.
	Partial bool
	// Unconfirmed is how many rooms had something that was left out, as it was not certain that the account still sees them.
	Unconfirmed int
}

// Position is where a page has ended, in each archive. It is not changed once it is made.
type Position struct {
	asked  time.Time // of the first page: what came later is not on the others
	before map[jid.JID]string
	ended  map[jid.JID]bool
}

// Find returns a page. What may be read is asked for each page: who has left a room does not find more of it. Where very many messages of
// an archive have all words but do not match, its results can be on a later page than older ones of other archives.
func (s *Searcher) Find(ctx context.Context, q Question) (FoundPage, error) {
	if q.Words.Empty() {
		return FoundPage{}, nil
	}
	if q.Size <= 0 {
		q.Size = foundPage
	}
	q.Size = min(q.Size, maxFoundPage)
	limited, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	page, err := s.find(limited, q)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return FoundPage{}, ErrSlow
	}
	return page, err
}

func (s *Searcher) find(ctx context.Context, q Question) (page FoundPage, err error) {
	archives, err := s.archives(ctx, q)
	if err != nil {
		return page, err
	}
	if page.Partial = len(archives) > maxSearched; page.Partial {
		archives = archives[:maxSearched]
	}
	m := newMerge(q)
	for i := range archives {
		if err := m.read(ctx, &archives[i]); err != nil {
			return FoundPage{}, fmt.Errorf("search archive of %s: %w", archives[i].JID, err)
		}
	}
	page.Next = m.next(archives)
	for i := range archives {
		a := &archives[i]
		if a.Confirm == nil || !slices.ContainsFunc(m.hits, func(h hit) bool { return h.archive == a }) {
			continue
		}
		if err := a.Confirm(ctx); err != nil {
			if ctx.Err() != nil {
				return FoundPage{}, ctx.Err()
			}
			page.Unconfirmed++
			m.hits = slices.DeleteFunc(m.hits, func(h hit) bool { return h.archive == a })
		}
	}
	for _, h := range m.hits {
		page.List = append(page.List, h.found(q))
	}
	return page, nil
}

// archives are those that are searched: the account's own first.
func (s *Searcher) archives(ctx context.Context, q Question) ([]Readable, error) {
	list := []Readable{{JID: q.Account, Store: s.own}}
	s.mu.Lock()
	domains := make([]jid.JID, 0, len(s.rooms))
	rooms := make(map[jid.JID]Rooms, len(s.rooms))
	for domain, r := range s.rooms {
		if q.With.IsZero() || q.With.Domain() == domain.Domain() {
			domains, rooms[domain] = append(domains, domain), r
		}
	}
	s.mu.Unlock()
	slices.SortFunc(domains, func(a, b jid.JID) int { return cmp.Compare(a.String(), b.String()) })
	for _, domain := range domains {
		more, err := rooms[domain].Readable(ctx, q.Account, q.With.Bare(), maxSearched+2-len(list))
		if err != nil {
			return nil, fmt.Errorf("read rooms of %s that %s sees: %w", domain, q.Account, err)
		}
		list = append(list, more...)
		if len(list) > maxSearched {
			break
		}
	}
	return list, nil
}

// found makes what is shown of a message.
func (h hit) found(q Question) Found {
	st := h.entry.Stanza
	f := Found{ID: h.entry.ID, Archive: h.archive.JID, At: h.entry.At, Conversation: h.archive.JID, Name: h.archive.Name, Excerpt: q.Words.Excerpt(message.Text(st), excerptSize)}
	switch {
	case h.archive.JID != q.Account:
		f.Author = st.From.Resource()
	case st.From.Bare() == q.Account:
		f.Conversation, f.Author = st.To.Bare(), q.Account.String()
	default:
		f.Conversation, f.Author = st.From.Bare(), st.From.Bare().String()
		if ofOccupant(st) {
			f.Author = st.From.String()
		}
	}
	return f
}
