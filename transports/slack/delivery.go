package slack

import (
	"context"
	"sync/atomic"

	"github.com/slack-go/slack/socketmode"

	"github.com/dragoman-im/dragoman/transports"
)

// maxAcks bounds the acknowledgements that wait to be written.
const maxAcks = 4096

type acknowledgement struct {
	client *socketmode.Client
	id     string
}

// acknowledge writes acknowledgements, since whoever reports that an event is durable must not wait.
func (a *app) acknowledge(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case k := <-a.acks:
			wait, cancel := context.WithTimeout(ctx, a.n.o.Timeout)
			if err := k.client.AckCtx(wait, k.id, nil); err != nil && ctx.Err() == nil {
				a.log.Warn("acknowledge a slack event", "err", err)
			}
			cancel()
		}
	}
}

// delivery is one envelope on its way into the inboxes.
type delivery struct {
	pending atomic.Int32
	failed  atomic.Bool
	done    func(taken bool)
}

func (d *delivery) begin() { d.pending.Add(1) }

func (d *delivery) end(err error) {
	if err != nil {
		d.failed.Store(true)
	}
	if d.pending.Add(-1) == 0 {
		d.done(!d.failed.Load())
	}
}

// post hands an event to one login's sink.
func (d *delivery) post(ctx context.Context, s *client, e transports.Event) {
	d.begin()
	transports.Post(ctx, s.sink, e, func(err error) {
		if err != nil {
			s.log.Error("slack event not taken", "key", e.Key, "err", err)
		}
		if transports.ClassOf(err) == transports.Refused {
			err = nil // nor would it be taken the next time
		}
		d.end(err)
	})
}
