package server

import (
	"context"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store/archives"
	"github.com/dragoman-im/dragoman/core/store/retention"
)

// keptByConfig is how long the archive of an account is kept by the configuration.
func (s *Server) keptByConfig(account jid.JID) time.Duration {
	return s.reloadable.keep.Load().Of(account)
}

// longestKept is the longest time that an archive is kept.
func (s *Server) longestKept(ctx context.Context) (time.Duration, error) {
	k := s.reloadable.keep.Load()
	most, err := retention.New(s.store).LongestGranted(ctx)
	return max(most, k.Longest()), err // also of accounts of hosts that are not served any more
}

// expireArchives deletes what is too old from the archives that are kept shorter than others.
func (s *Server) expireArchives(ctx context.Context, now time.Time) error {
	most, err := s.longestKept(ctx)
	if err != nil {
		return err
	}
	if err := s.store.CompleteArchives(ctx); err != nil {
		return err
	}
	return retention.New(s.store).Expire(ctx, retention.Expiry{Now: now, Host: s.keptByConfig, Most: most}, s.reloadable.expired.note)
}

// expired are archives from which old messages were deleted: their words have to go, too. prune notes them, and the indexer's goroutine
// takes them.
type expired struct {
	mu   sync.Mutex
	upTo map[int64]int64 // the last position that is gone, by the number of the archive
}

func (e *expired) note(number, upTo int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.upTo == nil {
		e.upTo = map[int64]int64{}
	}
	e.upTo[number] = max(e.upTo[number], upTo)
}

func (e *expired) take() map[int64]int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := e.upTo
	e.upTo = nil
	return list
}

// trimWords deletes the words of messages that are gone.
func (s *Server) trimWords(ctx context.Context) {
	for number, upTo := range s.reloadable.expired.take() {
		if err := archives.Words.Trim(ctx, s.store.Reader(), s.store, number, upTo+1); err != nil {
			if ctx.Err() == nil {
				s.log.Error("words of deleted messages are still in the index", "err", err)
			}
			s.reloadable.expired.note(number, upTo)
		}
	}
}
