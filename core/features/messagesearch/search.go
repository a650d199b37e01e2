package messagesearch

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Search searches for the accounts of one host.
type Search struct {
	*archive.Searcher
	host     *router.Host
	searches *router.Slot[rate.Limiter] // of an account
	tooMany  atomic.Uint64
}

// New returns the feature. perMinute is how many pages an account may read in a minute; 0 is no limit.
func New(h *router.Host, s *archive.Searcher, perMinute int) *Search {
	f := &Search{Searcher: s, host: h}
	f.searches = &router.Slot[rate.Limiter]{Load: func(context.Context, *router.Account) (*rate.Limiter, error) {
		if perMinute <= 0 {
			return rate.NewLimiter(rate.Inf, 0), nil
		}
		return rate.NewLimiter(rate.Every(time.Minute/time.Duration(perMinute)), perMinute), nil
	}}
	return f
}

// Feature declares the feature.
func (f *Search) Feature() router.Feature {
	return router.Feature{
		Name:      "messagesearch",
		HostDisco: router.Disco{Commands: []command.Command{f.command()}},
		Slots:     []router.AccountSlot{f.searches},
		Counters:  []router.Counter{{Setting: "limits.archive_searches", Value: &f.tooMany}},
	}
}

// Find searches for an account that has a session, within its limit.
func (f *Search) Find(ctx context.Context, q archive.Question) (archive.FoundPage, error) {
	account := f.host.Local(q.Account)
	if account == nil {
		return archive.FoundPage{}, stanza.Forbidden("Only accounts of this server can search.")
	}
	limiter, err := f.searches.Get(ctx, account)
	if err != nil {
		return archive.FoundPage{}, err
	}
	if !limiter.Allow() {
		f.tooMany.Add(1)
		return archive.FoundPage{}, stanza.ResourceConstraint("You have searched very often just now. Wait a moment.")
	}
	page, err := f.Searcher.Find(ctx, q)
	if errors.Is(err, archive.ErrSlow) {
		return page, stanza.ResourceConstraint("The search took too long. Search for rarer words, for one conversation or for a shorter time.")
	}
	if err != nil {
		return page, fmt.Errorf("search messages for %s: %w", q.Account, err)
	}
	return page, nil
}
