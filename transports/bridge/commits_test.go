package bridge_test

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// countingStore counts transactions.
type countingStore struct {
	tables.Engine
	commits *atomic.Int64
}

func (c countingStore) Write(ctx context.Context, fn func(*sql.Tx) error) error {
	c.commits.Add(1)
	return c.Engine.Write(ctx, fn)
}

// A message to the network costs two transactions: one with the archive before it is acknowledged, one
// with the network's id. The echo that the network sends of it costs none.
func TestCommitsOfAMessage(t *testing.T) {
	const messages = 10
	for _, where := range []string{"room", "direct chat"} {
		t.Run(where, func(t *testing.T) {
			withGateway(t, func(h *harness) {
				var commits atomic.Int64
				h.engine = func(s tables.Engine) tables.Engine { return countingStore{s, &commits} }
				h.start()
				h.link(phone, "ann")
				h.join(phone, "plaza")
				send := func(i int) {
					if where == "room" {
						h.sendToRoom(phone, "plaza", fmt.Sprint(i))
					} else {
						h.sendTo(phone, "cleo", fmt.Sprint(i))
					}
					synctest.Wait()
				}
				send(0)
				before := commits.Load()
				for i := range messages {
					send(i + 1)
				}
				if n := commits.Load() - before; n > 2*messages {
					t.Errorf("%d transactions for %d messages", n, messages)
				}
			})
		})
	}
}
