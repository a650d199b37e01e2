package bridge

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// queries are IQs of ours that wait for an answer.
type queries struct {
	mu   sync.Mutex
	open map[queryID]chan *stanza.Stanza
}

type queryID struct {
	from jid.JID // who is asked
	id   string
}

const (
	maxQueries   = 1000
	queryTimeout = 30 * time.Second
)

// answered hands an answer to whoever waits for it.
func (q *queries) answered(st *stanza.Stanza) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	id := queryID{st.From, st.ID}
	c, ok := q.open[id]
	if ok {
		delete(q.open, id)
		c <- st
	}
	return ok
}

// ask sends an IQ and waits for its answer. An error answer is a *stanza.Error.
func (g *Gateway) ask(ctx context.Context, iq *stanza.Stanza) (*stanza.Stanza, error) {
	c := make(chan *stanza.Stanza, 1)
	id := queryID{iq.To, iq.ID}
	g.queries.mu.Lock()
	if g.queries.open == nil {
		g.queries.open = map[queryID]chan *stanza.Stanza{}
	}
	full := len(g.queries.open) >= maxQueries
	if !full {
		g.queries.open[id] = c
	}
	g.queries.mu.Unlock()
	if full {
		return nil, errors.New("too many queries wait for answers")
	}
	g.send(iq)
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	select {
	case st := <-c:
		if e := st.Err(); e != nil {
			return nil, e
		}
		return st, nil
	case <-ctx.Done():
		g.queries.mu.Lock()
		delete(g.queries.open, id)
		g.queries.mu.Unlock()
		return nil, ctx.Err()
	}
}
