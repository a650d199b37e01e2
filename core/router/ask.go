package router

import (
	"errors"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const (
	maxPending = 10_000           // questions of one host that wait for an answer
	askTimeout = 60 * time.Second // a question that is not answered by then has failed
)

// ErrBusy is returned by Ask when too many questions are open.
var ErrBusy = errors.New("too many open requests")

// question identifies an answer: who was asked, and with which id.
type question struct {
	to jid.JID
	id string
}

type asked struct {
	answer func(*stanza.Stanza)
	timer  *time.Timer
}

// Ask routes a request whose From is the host or one of its bare addresses. answer is
// called once: with the result or error, or with nil when none came in time. It runs in
// the answerer's goroutine and must not block.
func (h *Host) Ask(st *stanza.Stanza, answer func(*stanza.Stanza)) error {
	q := question{st.To, st.ID}
	h.mu.Lock()
	if len(h.pending) >= maxPending {
		h.mu.Unlock()
		return ErrBusy
	}
	h.pending[q] = &asked{answer, time.AfterFunc(askTimeout, func() {
		if a := h.take(q); a != nil {
			a.answer(nil)
		}
	})}
	h.mu.Unlock()
	h.router.Route(st)
	return nil
}

func (h *Host) take(q question) *asked {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.pending[q]
	delete(h.pending, q)
	return a
}

// settle gives an answer to whoever asked; false where nobody did.
func (h *Host) settle(st *stanza.Stanza) bool {
	a := h.take(question{st.From, st.ID})
	if a == nil {
		return false
	}
	a.timer.Stop()
	a.answer(st)
	return true
}
