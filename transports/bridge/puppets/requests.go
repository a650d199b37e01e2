package puppets

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
)

const (
	maxRequests    = 1000
	requestTimeout = 30 * time.Second
)

// Requests are IQs of ours that wait for an answer.
type Requests struct {
	send func(*stanza.Stanza)

	mu   sync.Mutex
	open map[requestID]chan *stanza.Stanza
}

type requestID struct {
	to jid.JID
	id string
}

// NewRequests makes an empty set of requests.
func NewRequests(send func(*stanza.Stanza)) *Requests {
	return &Requests{send: send, open: map[requestID]chan *stanza.Stanza{}}
}

// Answer takes an answer to one of the requests.
func (r *Requests) Answer(st *stanza.Stanza) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := requestID{st.From, st.ID}
	if answer, ok := r.open[id]; ok {
		delete(r.open, id)
		answer <- st
	}
}

// Ask sends an IQ and waits for its answer. An error answer is a *stanza.Error.
func (r *Requests) Ask(ctx context.Context, iq *stanza.Stanza) (*stanza.Stanza, error) {
	answer := make(chan *stanza.Stanza, 1)
	id := requestID{iq.To, iq.ID}
	if !r.add(id, answer) {
		return nil, errors.New("too many requests wait for answers")
	}
	r.send(iq)
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	select {
	case st := <-answer:
		if e := st.Err(); e != nil {
			return nil, e
		}
		return st, nil
	case <-ctx.Done():
		r.mu.Lock()
		delete(r.open, id)
		r.mu.Unlock()
		return nil, ctx.Err()
	}
}

// AskAs sends a request of a user to themselves, as the server lets a gateway do (XEP-0356 §6.3), and returns its result.
func (r *Requests) AskAs(ctx context.Context, gateway, user jid.JID, typ string, payload *stanza.Element) (*stanza.Stanza, error) {
	inner := stanza.NewElement(stanza.NSClient, "iq").With("type", typ).With("id", stanza.NewID()).With("to", user.String()).Add(payload)
	answer, err := r.Ask(ctx, stanza.NewIQ(user, gateway, typ, stanza.NewElement(convert.NSPrivilege, "privileged_iq").Add(inner)))
	if err != nil {
		return nil, err
	}
	x := answer.Child(convert.NSPrivilege, "privilege").Child(convert.NSForward, "forwarded").Child(stanza.NSClient, "iq")
	if x == nil {
		return nil, stanza.BadRequest("the answer to a privileged request has no answer in it")
	}
	result, err := stanza.FromElement(x)
	if err != nil {
		return nil, err
	}
	if e := result.Err(); e != nil {
		return nil, e
	}
	return result, nil
}

func (r *Requests) add(id requestID, answer chan *stanza.Stanza) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.open) >= maxRequests {
		return false
	}
	r.open[id] = answer
	return true
}
