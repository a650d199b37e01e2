package router

import (
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Limits of the questions of a host that wait for an answer.
const (
	maxQuestions = 10_000
	answerWait   = time.Minute
)

// Answered is called with the answer to a question of Ask, a result or an error, by the goroutine of whoever sent it; or with
// nil, by a goroutine of its own, when none has come in time. route routes a stanza.
type Answered func(answer *stanza.Stanza, route func(*stanza.Stanza))

// questions are IQs of a host that wait for their answers.
type questions struct {
	mu   sync.Mutex
	byID map[string]*question
}

type question struct {
	to       jid.JID
	answered Answered
	timer    *time.Timer
}

// Ask sends an IQ get from the host or one of its accounts, and calls answered with the answer. It returns false, and
// sends nothing, if too many questions wait.
func (h *Host) Ask(from, to jid.JID, payload *stanza.Element, route func(*stanza.Stanza), answered Answered) bool {
	return h.Request(stanza.NewIQ(to, from, stanza.TypeGet, payload), route, answered)
}

// Request is Ask for any request, which was made by stanza.NewIQ, so that its id cannot be guessed.
func (h *Host) Request(st *stanza.Stanza, route func(*stanza.Stanza), answered Answered) bool {
	to := st.To
	q := &question{to: to, answered: answered}
	h.session.questions.mu.Lock()
	if len(h.session.questions.byID) >= maxQuestions {
		h.session.questions.mu.Unlock()
		return false
	}
	if h.session.questions.byID == nil {
		h.session.questions.byID = map[string]*question{}
	}
	h.session.questions.byID[st.ID] = q
	q.timer = time.AfterFunc(answerWait, func() {
		if h.session.questions.take(st.ID, to) != nil {
			answered(nil, h.router.Route)
		}
	})
	h.session.questions.mu.Unlock()
	route(st)
	return true
}

// take removes the question with that id to an address, and returns it; nil if there is none.
func (l *questions) take(id string, from jid.JID) *question {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.byID[id]
	if q == nil || q.to != from {
		return nil
	}
	delete(l.byID, id)
	q.timer.Stop()
	return q
}

// answered handles a result or an error for the host or for an account itself; one that answers no question is dropped
// (RFC 6120 §8.2.3).
func (h *Host) answered(b *Batch, st *stanza.Stanza) {
	q := h.session.questions.take(st.ID, st.From)
	if q == nil {
		h.router.Counters.Dropped.Add(1)
		return
	}
	q.answered(st, func(st *stanza.Stanza) { h.router.RouteIn(b, st) })
}
