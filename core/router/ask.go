package router

import (
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Limits of the questions of a host that wait for an answer.
const (
	maxQuestions    = 10_000
	maxOwnQuestions = 100 // of an account to its own sessions
	answerWait      = time.Minute
)

// Answered is called with the answer to a question of Ask, a result or an error, by the goroutine of whoever sent it; or with
// nil, by a goroutine of its own, when none has come in time. route routes a stanza.
type Answered func(answer *stanza.Stanza, route func(*stanza.Stanza))

// questions are IQs of a host that wait for their answers.
type questions struct {
	mu   sync.Mutex
	byID map[string]*question
	own  map[jid.JID]int // of an account to its own sessions
}

type question struct {
	to       jid.JID
	own      bool // from the account to its own session
	answered Answered
	timer    *time.Timer
}

// Ask sends an IQ get from the host or one of its accounts, and calls answered with the answer. It returns false, and
// sends nothing, if too many questions wait, of the host or of the account to its own sessions.
func (h *Host) Ask(from, to jid.JID, payload *stanza.Element, route func(*stanza.Stanza), answered Answered) bool {
	return h.Request(stanza.NewIQ(to, from, stanza.TypeGet, payload), route, answered)
}

// Request is Ask for any request, which was made by stanza.NewIQ, so that its id cannot be guessed.
func (h *Host) Request(st *stanza.Stanza, route func(*stanza.Stanza), answered Answered) bool {
	to := st.To
	q := &question{to: to, own: st.From.Bare() == to.Bare(), answered: answered}
	late := func() {
		if h.requests.questions.take(st.ID, to) != nil {
			answered(nil, h.router.Route)
		}
	}
	if !h.requests.questions.add(st.ID, q, late) {
		return false
	}
	route(st)
	return true
}

// Askable returns how many more questions of the host could wait for an answer.
func (h *Host) Askable() int {
	l := &h.requests.questions
	l.mu.Lock()
	defer l.mu.Unlock()
	return maxQuestions - len(l.byID)
}

// add adds a question, for which late is called when the time for an answer is over. It returns false if there are too many.
func (l *questions) add(id string, q *question, late func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	account := q.to.Bare()
	if len(l.byID) >= maxQuestions || q.own && l.own[account] >= maxOwnQuestions {
		return false
	}
	if l.byID == nil {
		l.byID, l.own = map[string]*question{}, map[jid.JID]int{}
	}
	l.byID[id] = q
	if q.own {
		l.own[account]++
	}
	q.timer = time.AfterFunc(answerWait, late)
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
	if account := q.to.Bare(); q.own {
		if l.own[account]--; l.own[account] == 0 {
			delete(l.own, account)
		}
	}
	q.timer.Stop()
	return q
}

// answered handles a result or an error for the host or for an account itself; one that answers no question is dropped
// (RFC 6120 §8.2.3).
func (h *Host) answered(b *Batch, st *stanza.Stanza) {
	q := h.requests.questions.take(st.ID, st.From)
	if q == nil {
		h.router.Counters.Dropped.Add(1)
		return
	}
	q.answered(st, func(st *stanza.Stanza) { h.router.RouteIn(b, st) })
}
