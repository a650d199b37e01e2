package rooms

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"

	"github.com/dragoman-im/dragoman/core/features/conference"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/search"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/indexing"
	"github.com/dragoman-im/dragoman/core/store/scan"
	"github.com/dragoman-im/dragoman/core/store/wordindex"
)

const addOwnerSQL = `INSERT INTO room_words_owners (owner, indexed, changed, next)
SELECT number, 0, 0, 1 FROM room_archives WHERE number = ?1 ON CONFLICT (owner) DO NOTHING`

// words is the index of the words in the archives of rooms.
var words = wordindex.New("room_words", addOwnerSQL)

// text returns what a message of a room says.
func text(m *conference.Message) string {
	return message.Text(&stanza.Stanza{Kind: stanza.Message, Type: stanza.TypeGroupchat, Extra: m.Extra, Payload: m.Payload})
}

// terms are those by which a message is found; none where it has no text.
func terms(m *conference.Message) []search.Term {
	list := search.AppendTerms(nil, text(m))
	if len(list) == 0 {
		return nil
	}
	return append(list, nickTerm(m.Nick))
}

// nickTerm is the term of all messages of a nickname, so that a search for one of them reads few others.
func nickTerm(nick string) search.Term {
	h := fnv.New64a()
	_, _ = h.Write([]byte(nick)) // it never fails
	return search.Word(h.Sum64()*0x9E3779B97F4A7C15 + 1).Term()
}

// fresh counts messages that were archived, and notes archives from which old ones were deleted, until the goroutine takes them that
// indexes words.
type fresh struct {
	mu      sync.Mutex
	entries map[int64]int   // by archive
	rows    int64           // since the start
	gone    map[int64]int64 // the last position that was deleted, by archive
}

func (f *fresh) add(number int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.entries == nil {
		f.entries = map[int64]int{}
	}
	f.entries[number]++
	f.rows++
}

func (f *fresh) take() (entries map[int64]int, rows int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	entries, f.entries = f.entries, nil
	return entries, f.rows
}

func (f *fresh) deleted(number, upTo int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone == nil {
		f.gone = map[int64]int64{}
	}
	f.gone[number] = max(f.gone[number], upTo)
}

func (f *fresh) takeDeleted() map[int64]int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	gone := f.gone
	f.gone = nil
	return gone
}

// Of the rooms' archives of the last run, those that have to be indexed.
const waitingSQL = `SELECT a.number FROM room_archives a LEFT JOIN room_words_owners w ON w.owner = a.number
WHERE a.room IS NOT NULL AND (SELECT count(*) FROM (SELECT 1 FROM room_messages m WHERE m.archive = a.number AND m.position > coalesce(w.indexed, 0) LIMIT 1024) AS tail) = 1024`

// Words says how the archives are indexed. The indexer belongs to one goroutine, which calls TrimWords, too.
func (t *Tables) Words() indexing.Kind {
	return indexing.Kind{
		Name: "archives of rooms", Words: words, Waiting: waitingSQL, Unindexed: unindexed, First: firstPosition, NewEntries: t.fresh.take,
	}
}

const (
	unindexedSQL     = messagesSQL + ` AND position > ?` + oldestSQL
	firstPositionSQL = `SELECT coalesce(min(position), 0) FROM room_messages WHERE archive = ?`
)

func unindexed(ctx context.Context, q scan.Querier, number, after int64, limit int) ([]wordindex.Doc, error) {
	return scan.Rows(ctx, q, func(row scan.Row) (d wordindex.Doc, err error) {
		m, err := scanMessage(row)
		return wordindex.Doc{Position: m.Position, Terms: terms(&m)}, err
	}, unindexedSQL, number, after, limit)
}

func firstPosition(ctx context.Context, q scan.Querier, number int64) (first int64, err error) {
	err = q.QueryRowContext(ctx, firstPositionSQL, number).Scan(&first)
	return first, err
}

// trimmableSQL finds the archives whose index begins before their first message: a process ended before it had trimmed them.
const trimmableSQL = `SELECT s.owner, coalesce((SELECT min(m.position) FROM room_messages m WHERE m.archive = s.owner), 0)
FROM (SELECT owner, min(first) AS first FROM room_words_segments GROUP BY owner) AS s
WHERE s.first < coalesce((SELECT min(m.position) FROM room_messages m WHERE m.archive = s.owner), 9223372036854775807)`

// BeginWords notes whose words have to be deleted because their messages were deleted in an earlier run.
func (t *Tables) BeginWords(ctx context.Context) error {
	_, err := scan.Rows(ctx, t.store.Reader(), func(row scan.Row) (none struct{}, err error) {
		var number, first int64
		if err = row.Scan(&number, &first); err == nil && first == 0 {
			first = 1<<63 - 1
		}
		t.fresh.deleted(number, first-1)
		return none, err
	}, trimmableSQL)
	if err != nil {
		return fmt.Errorf("compare index of rooms with their archives: %w", err)
	}
	return nil
}

// TrimWords deletes the words of messages that are gone. After an error it is tried again by the next call.
func (t *Tables) TrimWords(ctx context.Context) error {
	gone := t.fresh.takeDeleted()
	for number, upTo := range gone {
		if err := words.Trim(ctx, t.store.Reader(), t.store, number, upTo+1); err != nil {
			for number, upTo := range gone {
				t.fresh.deleted(number, upTo)
			}
			return fmt.Errorf("delete words of deleted messages of rooms: %w", err)
		}
		delete(gone, number)
	}
	return nil
}

// removeWords takes a message that is retracted out of the index, in the transaction that retracts it.
func removeWords(tx *sql.Tx, m *conference.Message) error {
	return words.Remove(tx, m.Archive, m.Position, terms(m))
}

// positionsAtOnce is how many positions one statement reads.
const positionsAtOnce = 64

var atPositionsSQL = ` AND position IN (?` + strings.Repeat(", ?", positionsAtOnce-1) + `)`

// readWords reads the page of a search for words. What is indexed is found by the index; the newest messages are read one by one.
func (q *query) readWords(ctx context.Context, page *conference.Page) error {
	state, err := words.State(ctx, q, q.number)
	if err != nil {
		return err
	}
	newest := func() (more bool, err error) {
		return q.scan(ctx, page, " AND position > ?", state.Indexed)
	}
	indexed := func() (more bool, err error) {
		in := wordindex.Search{Terms: q.find.terms, From: q.from, To: min(q.to, state.Indexed), Backwards: q.p.Backwards}
		more = true
		if err = words.Find(ctx, q, q.number, in, func(positions []int64) (bool, error) {
			more, err = q.readAt(ctx, page, positions)
			return more, err
		}); err != nil {
			return false, err
		}
		return more, nil
	}
	first, second := indexed, newest
	if q.p.Backwards {
		first, second = newest, indexed
	}
	more, err := first()
	if more && err == nil {
		more, err = second()
	}
	page.Complete = more && err == nil
	return err
}

// readAt reads what matches at some positions, which are in the order of the query. It returns false if the page is full, or enough was
// examined.
func (q *query) readAt(ctx context.Context, page *conference.Page, positions []int64) (more bool, err error) {
	order := oldestSQL
	if q.p.Backwards {
		order = newestSQL
	}
	for len(positions) > 0 {
		if q.examined >= maxExamined {
			page.Reached = q.last
			return false, nil
		}
		some := positions[:min(len(positions), positionsAtOnce)]
		positions = positions[len(some):]
		args := append([]any{q.number}, q.args...)
		for i := range positionsAtOnce {
			args = append(args, some[min(i, len(some)-1)])
		}
		rows, err := scan.Rows(ctx, q, scanMessage, messagesSQL+q.where.String()+atPositionsSQL+order, append(slices.Clone(args), positionsAtOnce)...)
		if err != nil {
			return false, err
		}
		if q.take(page, rows) {
			return false, nil
		}
	}
	return true, nil
}
