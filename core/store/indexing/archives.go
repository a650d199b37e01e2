package indexing

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/dragoman-im/dragoman/core/store/archives"
	"github.com/dragoman-im/dragoman/core/store/scan"
	"github.com/dragoman-im/dragoman/core/store/wordindex"
)

// How messages are indexed for the full-text search.
const (
	// wordsTail is how many messages of an archive are not indexed: a search reads them one by one.
	wordsTail = 1024
	// wordsAtOnce is how many messages one segment of the index is made of, at most.
	wordsAtOnce = 8192
	// busyRate is how many messages a second are written when indexing is postponed, and maxPostponed how many of one archive may wait.
	busyRate     = 300
	maxPostponed = 65_536
	// progressEvery is how often it is logged how far the messages of an earlier release are indexed.
	progressEvery = 10 * time.Second
)

// Store has the messages; it is the *store.Store.
type Store interface {
	Reader() *sql.DB
	Write(ctx context.Context, fn func(tx *sql.Tx) error) error
}

// Kind is a kind of archives that are indexed.
type Kind struct {
	Name    string // for the log
	Words   *wordindex.Index
	Waiting string // a query for the numbers of the archives that have at least wordsTail messages that are not indexed
	// Unindexed reads the terms of the first messages of an archive behind a position.
	Unindexed func(ctx context.Context, q scan.Querier, number, after int64, limit int) ([]wordindex.Doc, error)
	// First returns the first position of an archive.
	First func(ctx context.Context, q scan.Querier, number int64) (int64, error)
	// Complete makes all archived messages visible to queries; nil: they are.
	Complete func(ctx context.Context) error
	// NewEntries returns how many entries were archived since the last call, by the number of the archive, and how many rows since the
	// start.
	NewEntries func() (entries map[int64]int, rows int64)
}

// AccountStore is what is special about the archives of accounts; it is the *store.Store.
type AccountStore interface {
	CompleteArchives(ctx context.Context) error
	NewEntries() (entries map[int64]int, rows int64)
}

// Accounts are the archives of accounts.
func Accounts(s AccountStore) Kind {
	return Kind{
		Name: "archives", Words: archives.Words, Waiting: waitingSQL, Complete: s.CompleteArchives, NewEntries: s.NewEntries,
		Unindexed: func(ctx context.Context, q scan.Querier, number, after int64, limit int) ([]wordindex.Doc, error) {
			return archives.Unindexed(ctx, q, number, after, limit)
		},
		First: func(ctx context.Context, q scan.Querier, number int64) (int64, error) {
			return archives.FirstPosition(ctx, q, number)
		},
	}
}

// Archives indexes the words of archived messages in the background. It belongs to one goroutine.
type Archives struct {
	store   Store
	kind    Kind
	log     *slog.Logger
	waiting map[int64]int // entries that are not indexed, by archive; nil before the first run
	rows    int64
	ran     time.Time
	logged  time.Time
}

// New makes an indexer of one kind of archives.
func New(s Store, k Kind, log *slog.Logger) *Archives {
	if k.Complete == nil {
		k.Complete = func(context.Context) error { return nil }
	}
	return &Archives{store: s, kind: k, log: log}
}

// Run indexes what has to be. Call it every some seconds.
func (x *Archives) Run(ctx context.Context) error {
	begin := x.waiting == nil
	if begin {
		if err := x.begin(ctx); err != nil {
			return fmt.Errorf("index %s by words: %w", x.kind.Name, err)
		}
	}
	limit := wordsTail
	if busy := x.count(); busy && !begin {
		limit = maxPostponed
	}
	left := 0
	for _, n := range x.waiting {
		if n >= limit {
			left++
		}
	}
	if left == 0 {
		return nil
	}
	if err := x.kind.Complete(ctx); err != nil {
		return err
	}
	for number, n := range x.waiting {
		if n < limit {
			continue
		}
		done, err := x.index(ctx, number)
		if err != nil {
			return fmt.Errorf("index %s by words: %w", x.kind.Name, err)
		}
		if done {
			delete(x.waiting, number)
		}
		if left--; begin && time.Since(x.logged) >= progressEvery {
			x.logged = time.Now()
			x.log.Info("archived messages are being indexed by words", "kind", x.kind.Name, "archives left", left)
		}
	}
	return nil
}

// Of the archives of the last run, those that have to be indexed. The rest has so few messages that nobody counts them.
const waitingSQL = `SELECT a.number FROM archive_accounts a LEFT JOIN archive_words_owners w ON w.owner = a.number
WHERE (SELECT count(*) FROM (SELECT 1 FROM archive_entries e WHERE e.archive = a.number AND e.position > coalesce(w.indexed, 0) LIMIT 1024) AS tail) = 1024`

// begin finds what the last run has left.
func (x *Archives) begin(ctx context.Context) error {
	err := x.kind.Words.Clean(ctx, x.store.Reader(), x.store)
	if err == nil {
		err = x.kind.Complete(ctx)
	}
	if err != nil {
		return err
	}
	list, err := scan.Rows(ctx, x.store.Reader(), func(row scan.Row) (n int64, err error) {
		err = row.Scan(&n)
		return n, err
	}, x.kind.Waiting)
	if err != nil {
		return err
	}
	x.waiting = map[int64]int{}
	for _, n := range list {
		x.waiting[n] = maxPostponed
	}
	x.logged = time.Now()
	return nil
}

// count adds the entries since the last run, and reports whether they are so many that the server is busy.
func (x *Archives) count() (busy bool) {
	entries, rows := x.kind.NewEntries()
	for number, n := range entries {
		x.waiting[number] += n
	}
	written, passed := rows-x.rows, time.Since(x.ran)
	x.rows, x.ran = rows, time.Now()
	return written > int64(busyRate*passed.Seconds())
}

// index indexes the messages of an archive. It is not done where the index was changed meanwhile.
func (x *Archives) index(ctx context.Context, number int64) (done bool, err error) {
	s, words := x.store, x.kind.Words
	for more := true; more; {
		state, err := words.State(ctx, s.Reader(), number)
		if err != nil {
			return false, err
		}
		docs, err := x.kind.Unindexed(ctx, s.Reader(), number, state.Indexed, wordsAtOnce)
		if err != nil {
			return false, err
		}
		if more = len(docs) == wordsAtOnce; len(docs) < wordsTail {
			break
		}
		added := false
		err = s.Write(ctx, func(tx *sql.Tx) (err error) {
			added, err = words.Add(tx, number, state, docs, docs[len(docs)-1].Position)
			return err
		})
		if !added || err != nil { // a message was retracted meanwhile, or the account deleted: the next run tries again
			return false, err
		}
		if more && time.Since(x.logged) >= progressEvery {
			x.logged = time.Now()
			x.log.Info("archived messages are being indexed by words", "archive", number, "messages up to", time.UnixMicro(docs[len(docs)-1].Position))
		}
	}
	oldest, err := x.kind.First(ctx, s.Reader(), number)
	if err != nil {
		return false, err
	}
	return true, words.Merge(ctx, s.Reader(), s, number, oldest)
}
