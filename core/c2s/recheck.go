package c2s

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stream"
)

// errWithdrawn ends a stream whose token or certificate was revoked (RFC 6120 §4.9.3.16, §13.7.2.3).
var errWithdrawn = stream.NewError(stream.Reset, "what you logged in with has been revoked: log in again")

// rechecksAtOnce is how many connections are checked again at the same time: a back end that is slow does not get more questions.
const rechecksAtOnce = 4

// rechecks are the connections whose token or certificate may be revoked while they last. A session without a connection is not among
// them: whoever resumes it has to log in first.
type rechecks struct {
	mu   sync.Mutex
	list map[*conn]recheck
}

type recheck struct {
	*sasl.Recheck
	at  time.Time // of the next check
	log *slog.Logger
}

func (r *rechecks) add(c *conn, check *sasl.Recheck, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.list == nil {
		r.list = map[*conn]recheck{}
	}
	r.list[c] = recheck{check, now.Add(check.Every), c.Log()}
}

func (r *rechecks) remove(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.list, c)
}

// due returns what is to be checked now.
func (r *rechecks) due(now time.Time) map[*conn]recheck {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := map[*conn]recheck{}
	for c, check := range r.list {
		if !now.Before(check.at) {
			found[c] = check
			check.at = now.Add(check.Every)
			r.list[c] = check
		}
	}
	return found
}

// Recheck ends the streams whose token or certificate has been revoked. It returns when those that are due at a time were checked. The owner
// of the server calls it every some seconds.
func (s *Server) Recheck(ctx context.Context, now time.Time) {
	var checking sync.WaitGroup
	defer checking.Wait()
	room := make(chan struct{}, rechecksAtOnce)
	for c, check := range s.rechecks.due(now) {
		select {
		case <-ctx.Done():
			return
		case room <- struct{}{}:
		}
		checking.Go(func() {
			defer func() { <-room }()
			err := check.Check(ctx)
			switch {
			case err == nil || ctx.Err() != nil:
			case errors.Is(err, sasl.ErrRefused):
				check.log.Info("session ends: what it has logged in with was revoked", "err", err)
				c.Stop(errWithdrawn)
			default: // nobody is locked out by a back end that is away
				check.log.Warn("it cannot be told whether what a session has logged in with is still valid", "err", err)
			}
		})
	}
}
