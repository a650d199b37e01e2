package upload

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
)

// Times that no setting changes.
const (
	slotTime     = 5 * time.Minute // from the slot to the begin of the upload (XEP-0363 §8)
	janitorEvery = 10 * time.Minute
	janitorBatch = 100
)

// Clock is the time by which the janitor deletes files; it does not follow a clock of the system that was set wrong.
type Clock interface {
	Now(ctx context.Context) (time.Time, error)
}

// Options are the parameters of New.
type Options struct {
	Store  Store
	Files  Files
	Key    []byte // signs tokens
	Limits Limits
	// Redirect lets files be downloaded from Files, if that is a Redirector.
	Redirect bool
	Direct   Direct // of Files; nil: clients send files to this server
	Clock    Clock
	Log      *slog.Logger
}

// Uploads is what all hosts share.
type Uploads struct {
	Options
	limits atomic.Pointer[Limits]
	now    func() time.Time

	mu    sync.Mutex
	busy  map[string]use // ids that are being written or deleted
	ended bool           // EndWriters was called

	direct directState

	Counters Counters
}

// directState is the state of uploads that go to the storage.
type directState struct {
	on      atomic.Bool
	checked bool         // used by Run only
	swept   time.Time    // when sweep has last run; used by Run only
	deleted deletedSlots // guarded by the lock of Uploads
}

// Counters may be read at any time.
type Counters struct {
	Size, ProfileSize, ProfileFiles, Daily, DailyFiles, Total, Reserve atomic.Uint64
}

// Limits returns the counters, under the names of the limits' settings.
func (k *Counters) Limits() []router.Counter {
	return []router.Counter{
		{Setting: "upload.size", Value: &k.Size}, {Setting: "upload.profile_size", Value: &k.ProfileSize},
		{Setting: "upload.profile_files", Value: &k.ProfileFiles}, {Setting: "upload.daily", Value: &k.Daily},
		{Setting: "upload.daily_files", Value: &k.DailyFiles}, {Setting: "upload.total", Value: &k.Total},
		{Setting: "upload.reserve", Value: &k.Reserve},
	}
}

// count counts that a limit was reached.
func (k *Counters) count(setting string) {
	for _, c := range k.Limits() {
		if c.Setting == setting {
			c.Value.Add(1)
		}
	}
}

// New returns the uploads of a server.
func New(o Options) *Uploads {
	u := &Uploads{Options: o, now: time.Now, busy: map[string]use{}}
	u.SetLimits(o.Limits)
	return u
}

// SetLimits replaces the limits.
func (u *Uploads) SetLimits(l Limits) { u.limits.Store(&l) }

// use is a writer, or the deletion of a file.
type use struct {
	end  context.CancelFunc // ends a writer; nil for a deletion
	done chan struct{}
}

// claim takes an id for a writer, or for a deletion if end is nil; false means that it is in use.
func (u *Uploads) claim(id string, end context.CancelFunc) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, taken := u.busy[id]; taken {
		return false
	}
	u.busy[id] = use{end, make(chan struct{})}
	if u.ended && end != nil {
		end()
	}
	return true
}

// EndWriters ends the uploads that are running, and those that begin later: a storage that does not answer must not keep the server
// from stopping.
func (u *Uploads) EndWriters() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ended = true
	for _, in := range u.busy {
		if in.end != nil {
			in.end()
		}
	}
}

func (u *Uploads) release(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	close(u.busy[id].done)
	delete(u.busy, id)
}

// await ends what uses an id, and waits for it.
func (u *Uploads) await(ctx context.Context, id string) error {
	u.mu.Lock()
	in, taken := u.busy[id]
	u.mu.Unlock()
	if !taken {
		return nil
	}
	if in.end != nil {
		in.end()
	}
	select {
	case <-in.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run deletes what is over, at intervals, until ctx ends.
func (u *Uploads) Run(ctx context.Context) error {
	tick := time.NewTicker(janitorEvery)
	defer tick.Stop()
	for {
		u.checkDirect(ctx)
		if err := u.clean(ctx); err != nil && ctx.Err() == nil {
			u.Log.Error("old files not deleted", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (u *Uploads) clean(ctx context.Context) error {
	now, err := u.Clock.Now(ctx)
	if err != nil {
		return err
	}
	s := Selection{Expired: now, Limit: janitorBatch}
	if keep := u.limits.Load().Quota.Keep; keep > 0 {
		s.Created = now.Add(-keep)
	}
	return errors.Join(u.deleteAll(ctx, s), u.deleteAgain(ctx, now), u.sweep(ctx, now))
}

// RemoveAccount deletes the files of an account that is being deleted, and ends its uploads. It is given no slots any more.
func (u *Uploads) RemoveAccount(ctx context.Context, account jid.JID) error {
	return u.deleteAll(ctx, Selection{Account: account.Bare(), Limit: janitorBatch})
}

// deleteAll deletes the selected files. A file that is over and is still being written is left to the next call; the writers of an
// account are ended.
func (u *Uploads) deleteAll(ctx context.Context, s Selection) error {
	for {
		ids, err := u.Store.SelectUploads(ctx, s)
		if err != nil {
			return fmt.Errorf("list files: %w", err)
		}
		deleted := 0
		for _, id := range ids {
			gone, err := u.delete(ctx, id, s)
			if err != nil {
				return fmt.Errorf("delete file %s: %w", id, err)
			}
			if gone {
				deleted++
			} else if !s.Account.IsZero() {
				if err := u.await(ctx, id); err != nil {
					return err
				}
			}
		}
		if len(ids) == 0 || s.Account.IsZero() && (deleted == 0 || len(ids) < s.Limit) {
			return nil
		}
	}
}

// delete deletes a file, unless it is in use. A file that was selected because its time is over may have been stored since: it is
// deleted only if its time is still over.
func (u *Uploads) delete(ctx context.Context, id string, s Selection) (bool, error) {
	if !u.claim(id, nil) {
		return false, nil
	}
	defer u.release(id)
	f, err := u.Store.Upload(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return true, nil
	case err != nil, s.Account.IsZero() && !s.over(&f):
		return false, err
	case s.Account.IsZero() && f.Stored.IsZero() && u.Direct != nil:
		if err := u.settle(ctx, &f, s.Expired); !errors.Is(err, ErrNotFound) {
			return err == nil, err // it is stored now, and over later
		}
	}
	u.noteDeleted(&f)
	if err := u.Files.Delete(ctx, id); err != nil {
		return false, err
	}
	return true, u.Store.DeleteUpload(ctx, id)
}
