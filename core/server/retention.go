package server

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store/archives"
	"github.com/dragoman-im/dragoman/core/store/retention"
)

// kept is how long archives are kept by the configuration.
type kept struct {
	all   time.Duration
	hosts map[string]time.Duration
}

func newKept(c config.Config) *kept {
	forever := func(d config.Duration) time.Duration {
		if d <= 0 {
			return archive.Forever
		}
		return time.Duration(d)
	}
	k := &kept{all: forever(c.Server.Archive), hosts: map[string]time.Duration{}}
	for _, r := range c.Retention {
		if host, err := jid.Parse(r.Host); err == nil {
			k.hosts[host.Domain()] = forever(r.Archive)
		}
	}
	return k
}

// of is how long the archive of an account is kept where nothing else is set for it.
func (k *kept) of(account jid.JID) time.Duration {
	if d, ok := k.hosts[account.Domain()]; ok {
		return d
	}
	return k.all
}

func (k *kept) equal(o *kept) bool {
	if k.all != o.all || len(k.hosts) != len(o.hosts) {
		return false
	}
	for host, d := range k.hosts {
		if other, ok := o.hosts[host]; !ok || other != d {
			return false
		}
	}
	return true
}

// keptByConfig is how long the archive of an account is kept by the configuration.
func (s *Server) keptByConfig(account jid.JID) time.Duration {
	return s.reloadable.keep.Load().of(account)
}

// longestKept is the longest time that an archive is kept.
func (s *Server) longestKept(ctx context.Context) (time.Duration, error) {
	k := s.reloadable.keep.Load()
	most, err := retention.New(s.store).LongestGranted(ctx)
	most = max(most, k.all) // also of accounts of hosts that are not served any more
	for _, d := range k.hosts {
		most = max(most, d)
	}
	return most, err
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

// SetRetention sets how long the archive of an account is kept in place of what the configuration says: a number of days, "forever", or
// "default" for nothing else than that.
func (a *Accounts) SetRetention(ctx context.Context, name, days string) (string, error) {
	keep := time.Duration(0)
	switch days {
	case "default":
	case "forever":
		keep = archive.Forever
	default:
		var err error
		if keep, err = archive.ParseDays(days); err != nil {
			return "", fmt.Errorf("%s: %w, or forever, or default", days, err)
		}
	}
	return a.change(name, func(account jid.JID) error {
		if _, err := a.store.Account(ctx, account); err != nil {
			return err
		}
		return retention.New(a.store).SetGrantedRetention(ctx, account, keep)
	})
}

// retentionText describes how long the archive of an account is kept.
func (a *Accounts) retentionText(ctx context.Context, account jid.JID) (string, error) {
	r, err := retention.New(a.store).Retention(ctx, account)
	return archive.RetentionText(r.Keep(newKept(a.config).of(account))), err
}
