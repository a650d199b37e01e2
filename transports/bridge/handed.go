package bridge

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/dragoman-im/dragoman/core/stanza"
)

const handedMax = 4096 // journal entries before the rows are marked in the store

// handed follows the rows whose deliveries went to the Endpoint: first in the journal,
// later, in one transaction for many, in the store.
type handed struct {
	g   *Gateway
	had map[int64]bool // what the journal of the last run held

	mu      sync.Mutex
	journal *journal
	fresh   []int64 // in the journal's newer file

	flushing sync.Mutex
	older    []int64 // in the older file; owned by the flush under way
}

// send gives the deliveries of a row to the Endpoint, and notes it when they are safe there.
func (h *handed) send(seq int64, list []delivery) {
	stanzas := make([]*stanza.Stanza, len(list))
	for i, d := range list {
		stanzas[i] = d.stanza()
	}
	h.g.endpoint.SendAll(stanzas, func(err error) {
		if err != nil {
			h.g.log.Error("a message was not taken; it is delivered at the next start", "seq", seq, "error", err)
			return
		}
		h.note(seq)
	})
}

func (h *handed) note(seq int64) {
	h.mu.Lock()
	n, err := h.journal.add(seq)
	h.fresh = append(h.fresh, seq)
	h.mu.Unlock()
	if err != nil && !errors.Is(err, fs.ErrClosed) {
		h.g.log.Error("a message may come twice after a crash", "error", err)
	}
	if n > 0 && n%handedMax == 0 {
		h.g.spawn(h.flush)
	}
}

// flush marks what has been handed over, and begins a new journal.
func (h *handed) flush(ctx context.Context) {
	if !h.flushing.TryLock() {
		return
	}
	defer h.flushing.Unlock()
	if len(h.older) == 0 {
		if err := h.turn(); err != nil {
			h.g.log.Error("turning the journal", "error", err)
			return
		}
	}
	if len(h.older) == 0 {
		return
	}
	if err := h.g.store.MarkDelivered(ctx, h.older); err != nil {
		if ctx.Err() == nil {
			h.g.log.Error("marking messages as handed over", "error", err)
		}
		return
	}
	h.older = h.older[:0]
	if err := h.journal.drop(); err != nil {
		h.g.log.Error("dropping the old journal", "error", err)
	}
}

func (h *handed) turn() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.fresh) == 0 {
		return nil
	}
	if err := h.journal.turn(); err != nil {
		return err
	}
	h.older, h.fresh = append(h.older, h.fresh...), h.fresh[:0]
	return nil
}

func (h *handed) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.journal.close()
}

// deliverLeft hands over what a crash left between the commit and the Endpoint, in order.
func (g *Gateway) deliverLeft(ctx context.Context) error {
	rows, err := g.store.ReadyEvents(ctx)
	if err != nil {
		return err
	}
	var had []int64
	for _, r := range rows {
		if g.handed.had[r.Seq] {
			had = append(had, r.Seq)
		}
	}
	if len(had) > 0 {
		if err := g.store.MarkDelivered(ctx, had); err != nil {
			return err
		}
	}
	if err := g.handed.journal.reset(); err != nil {
		return err
	}
	for _, r := range rows {
		if g.handed.had[r.Seq] {
			continue
		}
		list, err := decodeDeliveries(r.Deliveries)
		if err != nil {
			g.log.Error("a kept delivery cannot be read", "seq", r.Seq, "error", err)
			continue
		}
		if list, err = g.notKept(ctx, list); err != nil {
			return err
		}
		g.handed.send(r.Seq, list)
	}
	g.handed.had = nil
	return nil
}

// notKept leaves out what the server has all the same: the crash came between its write
// and our journal.
func (g *Gateway) notKept(ctx context.Context, list []delivery) ([]delivery, error) {
	rest := list[:0:0]
	for _, d := range list {
		had, err := g.kept(ctx, d.stanza())
		if err != nil {
			return nil, fmt.Errorf("look whether a message is kept: %w", err)
		}
		if !had {
			rest = append(rest, d)
		}
	}
	return rest, nil
}
