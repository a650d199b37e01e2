package c2s

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
)

// TestRecheck ends the stream of a session whose login was revoked, and no other.
func TestRecheck(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	romeo, juliet := p.session("romeo", "orchard"), p.session("juliet", "balcony")
	var asked atomic.Int64
	var answer atomic.Pointer[error]
	check := &sasl.Recheck{Every: time.Minute, Check: func(context.Context) error {
		asked.Add(1)
		if err := answer.Load(); err != nil {
			return *err
		}
		return nil
	}}
	now := time.Now()
	at := jid.MustParse("romeo@home.test/orchard")
	c := p.host.Local(at.Bare()).Session(at).Session().(*session).conn.Load()
	p.server.rechecks.add(c, check, now)
	for _, step := range []struct {
		after time.Duration
		err   error
		asked int64
	}{
		{59 * time.Second, nil, 0}, {time.Minute, nil, 1}, {61 * time.Second, nil, 1},
		{2 * time.Minute, errors.New("no answer"), 2}, {3 * time.Minute, nil, 3},
	} {
		answer.Store(&step.err)
		p.server.Recheck(t.Context(), now.Add(step.after))
		romeo.ping()
		if n := asked.Load(); n != step.asked {
			t.Errorf("after %s: asked %d times", step.after, n)
		}
	}
	refused := fmt.Errorf("revoked: %w", sasl.ErrRefused)
	answer.Store(&refused)
	p.server.Recheck(t.Context(), now.Add(4*time.Minute))
	romeo.wantError("reset")
	juliet.ping()
	for ctx := t.Context(); ; {
		p.server.rechecks.mu.Lock()
		n := len(p.server.rechecks.list)
		p.server.rechecks.mu.Unlock()
		if n == 0 {
			break
		}
		if ctx.Err() != nil {
			t.Fatal("the connection is still on the list")
		}
		time.Sleep(time.Millisecond)
	}
}
