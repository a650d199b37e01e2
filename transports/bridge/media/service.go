package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/blob"
	"github.com/dragoman-im/dragoman/core/peerlimit"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// cleanEvery is the time between two removals of what was not used.
const cleanEvery = 10 * time.Minute

// maxWaiting is how many files of one gateway may wait to be received.
const maxWaiting = 200

// Source is a gateway.
type Source interface {
	// OpenMedia opens a file of the network by a login that may see it. usable, which counts readings, is asked for each login before that
	// is used, and for no other. The file has its size.
	OpenMedia(ctx context.Context, m tables.Media, usable func(transports.LoginID) bool) (io.ReadCloser, transports.File, error)
	// Go runs f in a goroutine that ends with the gateway; false where it has ended.
	Go(f func(ctx context.Context)) bool
}

// Rows finds files.
type Rows interface {
	Media(ctx context.Context, id string) (tables.Media, bool, error)
}

// Options are the parameters of New.
type Options struct {
	Rows    Rows
	Cache   *Cache
	Size    int64 // bytes of one file
	Fetches int   // files of one gateway that are received at a time
	Rates   Rates
	Log     *slog.Logger
}

// Service serves the files of all gateways of this process.
type Service struct {
	Options
	addresses *peerlimit.Requests
	failures  failures

	mu      sync.Mutex
	sources map[string]*source   // by domain
	counts  map[string]*Counters // by domain
	cleaned time.Time
}

// Counters may be read at any time.
type Counters struct{ Size, Cache, Fetches, AddressRate, LoginRate atomic.Uint64 }

// Limits returns the counters, under the names of the limits' settings.
func (k *Counters) Limits() []router.Counter {
	return []router.Counter{
		{Setting: "media.size", Value: &k.Size}, {Setting: "media.cache", Value: &k.Cache}, {Setting: "media.fetches", Value: &k.Fetches},
		{Setting: "media.address_rate", Value: &k.AddressRate}, {Setting: "media.login_rate", Value: &k.LoginRate},
	}
}

// source is a gateway with what is received from it.
type source struct {
	Source
	counters *Counters
	logins   *loginRates
	slots    chan struct{}
	waiting  atomic.Int64
}

// New makes the service.
func New(o Options) *Service {
	return &Service{
		Options: o, addresses: peerlimit.NewRequests(o.Rates.Address, time.Minute), sources: map[string]*source{}, counts: map[string]*Counters{},
	}
}

// Counters are those of a gateway.
func (s *Service) Counters(domain string) *Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counters(domain)
}

// counters is Counters for a caller that holds the lock.
func (s *Service) counters(domain string) *Counters {
	if s.counts[domain] == nil {
		s.counts[domain] = &Counters{}
	}
	return s.counts[domain]
}

// Attach lets files of a gateway be read, until Detach.
func (s *Service) Attach(domain string, from Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sources[domain] = &source{Source: from, counters: s.counters(domain), logins: newLoginRates(s.Rates.Login), slots: make(chan struct{}, s.Fetches)}
}

// Detach ends what Attach has begun.
func (s *Service) Detach(domain string, from Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in := s.sources[domain]; in != nil && in.Source == from {
		delete(s.sources, domain)
	}
}

func (s *Service) source(domain string) *source {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sources[domain]
}

// errAway is why a file cannot be received now.
var errAway = &transports.Error{Class: transports.Retry, Text: "the network cannot be asked for the file now"}

// errMany is why a file cannot be received now.
var errMany = &transports.Error{Class: transports.Retry, Text: "too many files are received at the moment"}

// maxTries is how often a file is opened that others do not wait for any longer at the same moment.
const maxTries = 5

// Open returns a file, which is read from the network if it is not here. The caller closes it. Requests from one address are limited; an
// invalid address is this process.
func (s *Service) Open(ctx context.Context, m tables.Media, client netip.Addr) (io.ReadSeekCloser, error) {
	for try := 1; ; try++ {
		f, fill := s.Cache.open(m.ID)
		if fill {
			if err := s.fill(f, m, client); err != nil {
				s.Cache.ended(f, err)
			}
		}
		var r *reader
		err := errAbandoned
		if !fill && s.Cache.wasAbandoned(f) {
			_ = f.wait(ctx, func() bool { return false }) // until it has ended
		} else if r, err = s.Cache.reader(ctx, f); err == nil {
			return &opened{reader: r, release: func() { s.Cache.release(f) }}, nil
		}
		again := try < maxTries && ctx.Err() == nil && s.Cache.wasAbandoned(f)
		s.Cache.release(f)
		if !again {
			return nil, err
		}
	}
}

// errAbandoned is of a file that is not received since nobody waited for it.
var errAbandoned = fmt.Errorf("open a file: %w", context.Canceled)

// opened is a file that is in use until it is closed.
type opened struct {
	*reader
	release func()
}

// Close implements io.Closer.
func (o *opened) Close() error {
	o.release()
	return o.reader.Close()
}

// fill has a file received by its gateway.
func (s *Service) fill(f *file, m tables.Media, client netip.Addr) error {
	if err := s.failures.of(m.ID, s.Cache.now()); err != nil {
		return err
	}
	from := s.source(m.Gateway)
	if from == nil {
		return errAway
	}
	if client.IsValid() && !s.addresses.Take(client) {
		from.counters.AddressRate.Add(1)
		return errAddressRate
	}
	if from.waiting.Add(1) > maxWaiting {
		from.waiting.Add(-1)
		from.counters.Fetches.Add(1)
		return errMany
	}
	started := from.Go(func(ctx context.Context) {
		defer from.waiting.Add(-1)
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		err := context.Canceled
		defer func() { // also after a panic
			s.failures.note(m.ID, err, s.Cache.now())
			s.Cache.ended(f, err)
		}()
		if s.Cache.receiving(f, cancel) {
			err = s.fetch(ctx, from, f, m)
		}
	})
	if !started {
		from.waiting.Add(-1)
		return errAway
	}
	return nil
}

// fetch receives a file when it is its turn.
func (s *Service) fetch(ctx context.Context, from *source, f *file, m tables.Media) error {
	select {
	case from.slots <- struct{}{}:
		defer func() { <-from.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := time.AfterFunc(stallTime, func() { cancel(errStalled) })
	defer stalled.Stop()
	err := s.read(ctx, from, f, m, stalled)
	if err != nil && errors.Is(context.Cause(ctx), errStalled) {
		return errStalled
	}
	return err
}

// read reads a file from the network into the cache.
func (s *Service) read(ctx context.Context, from *source, f *file, m tables.Media, stalled *time.Timer) error {
	content, file, err := from.OpenMedia(ctx, m, func(id transports.LoginID) bool {
		ok := from.logins.take(id, s.Cache.now())
		if !ok {
			from.counters.LoginRate.Add(1)
		}
		return ok
	})
	if err != nil {
		return err
	}
	defer content.Close()
	if file.Size < 0 || file.Size > s.Size {
		from.counters.Size.Add(1)
		return transports.Refuse("not-acceptable", "the file is too large", nil)
	}
	if err := s.Cache.reserve(f, file.Size); err != nil {
		if stanza.Temporary(err) {
			from.counters.Cache.Add(1)
		}
		return err
	}
	err = s.Cache.receive(ctx, f, file.Size, &watched{content, stalled})
	if errors.Is(err, blob.ErrContent) {
		return fmt.Errorf("receive a file: %w", err)
	}
	return err
}

// watched puts a timer off whenever something comes.
type watched struct {
	content io.Reader
	stalled *time.Timer
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.content.Read(b)
	if n > 0 {
		w.stalled.Reset(stallTime)
	}
	return n, err
}

// Clean removes from the cache what was not asked for for long, and files whose messages are gone. It may be called often.
func (s *Service) Clean(ctx context.Context, now time.Time) error {
	s.mu.Lock()
	due := now.Sub(s.cleaned) >= cleanEvery || now.Before(s.cleaned)
	if due {
		s.cleaned = now
		for _, from := range s.sources {
			from.logins.forget(now)
		}
	}
	s.mu.Unlock()
	if !due {
		return nil
	}
	left, err := s.Cache.expire()
	for _, id := range left {
		if err != nil {
			break
		}
		var there bool
		if _, there, err = s.Rows.Media(ctx, id); err == nil && !there {
			s.Cache.drop(id)
		}
	}
	return err
}
