package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store/archives"
	"github.com/dragoman-im/dragoman/core/store/scan"
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

// WordIndexer indexes the words of archived messages in the background. It belongs to one goroutine.
type WordIndexer struct {
	store   *Store
	waiting map[int64]int // entries that are not indexed, by archive; nil before the first run
	appends int64
	ran     time.Time
	logged  time.Time
}

// NewWordIndexer makes the indexer.
func (s *Store) NewWordIndexer() *WordIndexer { return &WordIndexer{store: s} }

// Run indexes what has to be. Call it every some seconds.
func (x *WordIndexer) Run(ctx context.Context) error {
	begin := x.waiting == nil
	if begin {
		if err := x.begin(ctx); err != nil {
			return fmt.Errorf("index archived messages by words: %w", err)
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
	if err := x.complete(ctx); err != nil {
		return err
	}
	for number, n := range x.waiting {
		if n < limit {
			continue
		}
		done, err := x.index(ctx, number)
		if err != nil {
			return fmt.Errorf("index archived messages by words: %w", err)
		}
		if done {
			delete(x.waiting, number)
		}
		if left--; begin && time.Since(x.logged) >= progressEvery {
			x.logged = time.Now()
			x.store.log.Info("archived messages are being indexed by words", "archives left", left)
		}
	}
	return nil
}

// complete writes the entries that are written later than their messages.
func (x *WordIndexer) complete(ctx context.Context) error {
	if x.store.dialect == Postgres {
		return nil
	}
	return x.store.CompleteTables(ctx)
}

// Of the archives of the last run, those that have to be indexed. The rest has so few messages that nobody counts them.
const waitingSQL = `SELECT a.number FROM archive_accounts a LEFT JOIN archive_words_owners w ON w.owner = a.number
WHERE (SELECT count(*) FROM (SELECT 1 FROM archive_entries e WHERE e.archive = a.number AND e.position > coalesce(w.indexed, 0) LIMIT 1024) AS tail) = 1024`

// begin finds what the last run has left.
func (x *WordIndexer) begin(ctx context.Context) error {
	err := archives.Words.Clean(ctx, x.store.reads, x.store)
	if err == nil {
		err = x.complete(ctx)
	}
	if err != nil {
		return err
	}
	list, err := scan.Rows(ctx, x.store.reads, func(row scan.Row) (n int64, err error) {
		err = row.Scan(&n)
		return n, err
	}, waitingSQL)
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
func (x *WordIndexer) count() (busy bool) {
	appends := int64(0)
	for _, w := range x.store.archives.parts {
		for number, n := range w.TakeNew() {
			x.waiting[number] += n
		}
		appends += w.Appends()
	}
	rows, passed := appends-x.appends, time.Since(x.ran)
	x.appends, x.ran = appends, time.Now()
	return rows > int64(busyRate*passed.Seconds())
}

// index indexes the messages of an archive. It is not done where the index was changed meanwhile.
func (x *WordIndexer) index(ctx context.Context, number int64) (done bool, err error) {
	s, words := x.store, archives.Words
	for more := true; more; {
		state, err := words.State(ctx, s.reads, number)
		if err != nil {
			return false, err
		}
		docs, err := archives.Unindexed(ctx, s.reads, number, state.Indexed, wordsAtOnce)
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
			s.log.Info("archived messages are being indexed by words", "archive", number, "messages up to", timeOf(docs[len(docs)-1].Position))
		}
	}
	oldest, err := archives.FirstPosition(ctx, s.reads, number)
	if err != nil {
		return false, err
	}
	return true, words.Merge(ctx, s.reads, s, number, oldest)
}

// deleteWords deletes the index of a deleted account's archive in small steps.
func (s *Store) deleteWords(ctx context.Context, account jid.JID) error {
	number, err := archives.Number(ctx, s.reads, account)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		err = archives.Words.Drop(ctx, s.reads, s, number)
	}
	if err != nil {
		return fmt.Errorf("delete word index of %s: %w", account, err)
	}
	return nil
}
